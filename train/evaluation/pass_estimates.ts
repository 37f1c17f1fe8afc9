/** pass^k of episodes with its intervals. */

import type { Reward } from "../../env/types.ts";
import { solvedShare, type TaskResult } from "./pass_k.ts";
import { type Estimate, estimateShare } from "./interval.ts";

/** Of an episode, what pass^k goes by. */
export interface PassEpisode {
  readonly taskId: string;
  /** The reward or its value; `null` where infrastructure failed, which counts as no trial. */
  readonly reward: Reward | number | null;
}

/**
 * pass^1 to pass^k with 95% intervals, `[k]`, where k is the most trials that a task has. Tasks with fewer trials than
 * an estimate takes are not in it. An episode is solved if its reward is 1.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { passEstimates } from "./pass_estimates.ts";
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
  const results = taskResults(episodes);
  const most = Math.max(0, ...results.map(({ trials }) => trials));
  return Array.from({ length: most }, (_, i) => estimatePassK(results, i + 1));
}

/** An estimate of pass^k over the tasks that have k trials. */
export function estimatePassK(
  results: readonly TaskResult[],
  k: number,
): Estimate {
  const usable = results.filter(({ trials }) => trials >= k);
  return estimateShare(usable.map((result) => solvedShare(result, k)));
}

/** Trials and successes by task, in the order in which tasks first come. */
export function taskResults(episodes: readonly PassEpisode[]): TaskResult[] {
  return [...Map.groupBy(scoredOf(episodes), ({ taskId }) => taskId).values()]
    .map((trials) => ({
      trials: trials.length,
      successes: trials.filter((one) => valueOf(one) === 1).length,
    }));
}

function scoredOf(episodes: readonly PassEpisode[]): PassEpisode[] {
  return episodes.filter((episode) => valueOf(episode) !== null);
}

function valueOf({ reward }: PassEpisode): number | null {
  return typeof reward === "object" && reward !== null ? reward.value : reward;
}
