/** pass^k: the probability that an agent solves the same task k times in a row. */

import type { Reward } from "../../env/types.ts";
import { type Estimate, estimateShare } from "./interval.ts";

/** The scored trials of one task. */
export interface TaskResult {
  readonly successes: number;
  /** The number of scored trials. */
  readonly trials: number;
}

/**
 * Returns the unbiased estimate of pass^k on one task: C(c, k) / C(n, k), for c successes in n trials.
 * @returns A probability; NaN if there are fewer than `k` trials.
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
 * Returns the unbiased estimate of pass^k: the mean of {@linkcode solvedShare} over tasks. Tasks with fewer than `k`
 * scored trials are skipped; trials that failed for reasons unrelated to the policy are not scored.
 * @param results `[P]`, successes and scored trials of each task.
 * @returns A probability; NaN if no task has `k` trials.
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
  return estimatePassK(results, k).value;
}

/** Returns {@linkcode passK} with its 95% confidence interval. */
export function estimatePassK(
  results: readonly TaskResult[],
  k: number,
): Estimate {
  const usable = results.filter(({ trials }) => trials >= k);
  return estimateShare(usable.map((result) => solvedShare(result, k)));
}

/** The parts of an episode that are needed to compute pass^k. */
export interface PassEpisode {
  readonly taskId: string;
  /** The reward or its value; `null` after an infrastructure failure, which does not count as a trial. */
  readonly reward: Reward | number | null;
}

/**
 * Returns pass^1 to pass^k with 95% confidence intervals, `[k]`, where k is the largest number of scored trials of any
 * task. Each estimate excludes tasks with too few trials. An episode is solved if its reward is 1.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { passEstimates } from "./pass_k.ts";
 *
 * const [pass1, pass2] = passEstimates([
 *   { taskId: "a", reward: 1 },
 *   { taskId: "a", reward: 0 },
 * ]);
 * equal(pass1?.value, 0.5);
 * equal(pass2?.value, 0);
 * ```
 */
export function passEstimates(episodes: readonly PassEpisode[]): Estimate[] {
  const scored = episodes.flatMap(({ taskId, reward }) =>
    reward === null ? [] : [{
      taskId,
      reward: typeof reward === "object" ? reward.value : reward,
    }]
  );
  const results = [...Map.groupBy(scored, ({ taskId }) => taskId).values()]
    .map(taskResult);
  const most = Math.max(0, ...results.map(({ trials }) => trials));
  return Array.from({ length: most }, (_, i) => estimatePassK(results, i + 1));
}

/** Returns the result of a task's scored episodes. */
export function taskResult(
  scored: readonly { readonly reward: number | null }[],
): TaskResult {
  return {
    trials: scored.length,
    successes: scored.filter(({ reward }) => reward === 1).length,
  };
}
