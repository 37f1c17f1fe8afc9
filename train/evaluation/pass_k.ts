/** pass^k: how likely an agent solves the same task k times in a row. */

/** Trials of one task. */
export interface TaskResult {
  readonly successes: number;
  /** Those that were scored. */
  readonly trials: number;
}

/**
 * The unbiased estimate of pass^k on one task: C(c, k) / C(n, k), for c successes in n trials.
 * @returns Within 0..1; NaN where there are fewer than `k` trials.
 */
export function solvedShare(
  { successes, trials }: TaskResult,
  k: number,
): number {
  if (trials < k) return NaN;
  let share = 1;
  for (let i = 0; i < k; i++) {
    share *= Math.max(0, successes - i) / (trials - i);
  }
  return share;
}

/**
 * The unbiased estimate of pass^k: the mean over tasks of {@linkcode solvedShare}.
 * Tasks with fewer than `k` trials (the rest failed for no fault of the policy) are left out.
 * @param results `[P]`, successes and scored trials of each task.
 * @returns Within 0..1; NaN where no task has `k` trials.
 * @throws {RangeError} If `k` is not a positive integer.
 * @see Yao et al. 2024 (τ-bench), section 4.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { passK } from "./pass_k.ts";
 * equal(passK([{ successes: 2, trials: 4 }], 2), 1 / 6);
 * ```
 */
export function passK(results: readonly TaskResult[], k: number): number {
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(
      `Cannot estimate pass^${k}: k must be a positive integer`,
    );
  }
  const usable = results.filter(({ trials }) => trials >= k);
  const sum = usable.reduce((total, one) => total + solvedShare(one, k), 0);
  return sum / usable.length;
}
