/**
 * Computes advantages: how much better each episode did than its group. An advantage scales the gradient of its
 * episode.
 */

/** A formula that turns the rewards of a group into advantages. */
interface Estimator {
  /** The formula and its source, as `--help` shows them. */
  readonly description: string;
  /**
   * Returns the advantages, `[G]`.
   * @param rewards `[G]`, at least two, not all equal.
   */
  of(rewards: readonly number[]): number[];
}

/**
 * Advantage estimators, keyed by their names in a recipe's `rl.advantage`. In the formulas, `r` is an episode's reward
 * and `G` is the number of episodes in the group. To add an estimator, add an entry with its description, and a test.
 *
 * @see dr-grpo: Liu et al. 2025, "Understanding R1-Zero-Like Training", section 3.2.
 * @see grpo: Shao et al. 2024, "DeepSeekMath", section 4.1. Differs: the population standard deviation, and no epsilon,
 * because groups whose rewards are all equal are dropped first.
 * @see rloo: Kool et al. 2019, "Buy 4 REINFORCE Samples, Get a Baseline for Free!"; Ahmadian et al. 2024, "Back to
 * Basics", section 2.2. It is `dr-grpo` times `G / (G - 1)`.
 * @see maxrl: Tajwar et al. 2026, "Maximum Likelihood Reinforcement Learning", with its baseline; tajwarfahim/maxrl at
 * 7db6bb9, `verl/trainer/ppo/core_algos.py`, `p_normalization`. Differs: no epsilon.
 */
const ESTIMATORS = {
  "dr-grpo": {
    description: "r - mean (Liu et al. 2025)",
    of: centred,
  },
  grpo: {
    description: "(r - mean) / standard deviation (Shao et al. 2024)",
    of: (rewards) => scaled(rewards, 1 / Math.sqrt(variance(rewards))),
  },
  rloo: {
    description: "r - mean of the others (Ahmadian et al. 2024)",
    of: (rewards) => scaled(rewards, rewards.length / (rewards.length - 1)),
  },
  maxrl: {
    description: "(r - mean) / mean (Tajwar et al. 2026)",
    of: (rewards) => {
      const lowest = Math.min(...rewards);
      if (lowest >= 0) return scaled(rewards, 1 / meanOf(rewards));
      throw new RangeError(
        `rl.advantage=maxrl requires non-negative rewards, but one is ${lowest}`,
      );
    },
  },
} satisfies Record<string, Estimator>;

/** The name of an advantage estimator. */
export type AdvantageName = keyof typeof ESTIMATORS;

/** The names of all advantage estimators. */
export const ADVANTAGE_NAMES = Object.keys(ESTIMATORS) as AdvantageName[];

/** The names and descriptions of the advantage estimators, for help texts. */
export const ADVANTAGE_HELP: string = Object.entries(ESTIMATORS)
  .map(([name, { description }]) => `${name}: ${description}`).join("; ");

/**
 * Computes how much better each episode did than its group, with the named estimator.
 * @param rewards `[G]`, one per episode of the group, any scale.
 * @returns `[G]`, summing to 0 up to rounding; all zeros if all rewards are equal.
 * @throws {RangeError} If the group is empty, or `maxrl` is given a negative reward.
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { advantages } from "./advantage.ts";
 * deepEqual(advantages([1, 0]), [0.5, -0.5]);
 * deepEqual(advantages([1, 0], "rloo"), [1, -1]);
 * ```
 */
export function advantages(
  rewards: readonly number[],
  name: AdvantageName = "dr-grpo",
): number[] {
  if (rewards.length === 0) throw emptyGroup();
  return rewards.every((reward) => reward === rewards[0])
    ? rewards.map(() => 0)
    : ESTIMATORS[name].of(rewards);
}

/**
 * Returns the population variance of a group's rewards.
 * @throws {RangeError} If the group is empty.
 */
export function variance(rewards: readonly number[]): number {
  return meanOf(centred(rewards).map((value) => value ** 2));
}

function centred(rewards: readonly number[]): number[] {
  const mean = meanOf(rewards);
  return rewards.map((reward) => reward - mean);
}

function scaled(rewards: readonly number[], factor: number): number[] {
  return centred(rewards).map((value) => value * factor);
}

function meanOf(values: readonly number[]): number {
  if (values.length === 0) throw emptyGroup();
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function emptyGroup(): RangeError {
  return new RangeError(
    "Cannot compute the mean reward of an empty group: it has no scored episodes",
  );
}
