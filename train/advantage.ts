/** What multiplies the gradient of an episode: how much better it did than its group. */

/** Settings of {@linkcode advantages}. */
export interface AdvantageOptions {
  /** Divide by the group's standard deviation, as the paper does. Default false: it overweights easy and hard tasks. */
  readonly divideByStd?: boolean;
}

/**
 * Centres each reward on its group's mean.
 * @param rewards `[G]`, one per episode of the group, any scale.
 * @returns `[G]`, summing to 0 up to rounding; all zeros where the group agrees.
 * @throws {RangeError} If the group is empty.
 * @see Shao et al. 2024 (GRPO), section 4.1; without the division Liu et al. 2025 (Dr. GRPO), section 3.2.
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { advantages } from "./advantage.ts";
 * deepEqual(advantages([1, 0]), [0.5, -0.5]);
 * ```
 */
export function advantages(
  rewards: readonly number[],
  options: AdvantageOptions = {},
): number[] {
  const mean = meanOf(rewards);
  if (rewards.every((reward) => reward === rewards[0])) {
    return rewards.map(() => 0);
  }
  const scale = options.divideByStd ? 1 / Math.sqrt(variance(rewards)) : 1;
  return rewards.map((reward) => (reward - mean) * scale);
}

/**
 * The population variance of a group's rewards.
 * @throws {RangeError} If the group is empty.
 */
export function variance(rewards: readonly number[]): number {
  const mean = meanOf(rewards);
  return meanOf(rewards.map((reward) => (reward - mean) ** 2));
}

function meanOf(values: readonly number[]): number {
  if (values.length === 0) {
    throw new RangeError(
      "Cannot average an empty group: every episode of it failed",
    );
  }
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
