/** Evaluates the policy on held-out tasks. */

import { createRng, deriveSeed } from "../env/random.ts";
import type { Episode, Task } from "../env/types.ts";
import type { Config } from "./config/config.ts";
import {
  failuresByKind,
  meanByIntent,
  meanLengths,
  rewardOf,
  scored,
  stopReasons,
} from "./runs/episode_stats.ts";
import type { Job, Lab } from "./lab.ts";
import type { EvalMetrics } from "./runs/metrics.ts";
import { passK } from "./evaluation/pass_k.ts";

/** The split and the decoding of an evaluation. */
export interface EvalPlan {
  readonly split: "dev" | "test";
  readonly decoding: "sampled" | "greedy";
}

/** The figures of an evaluation, except for its step and its timing. */
export type EvalResult = Omit<
  EvalMetrics,
  "schemaVersion" | "step" | "phase" | "timing"
>;

/**
 * Returns the episodes to sample for an evaluation. The trials of a task are adjacent; tasks and seeds are the same at
 * every step.
 */
export function evalJobs(lab: Lab, config: Config, plan: EvalPlan): Job[] {
  const trials = trialsOf(config, plan);
  return evalTasks(lab, config, plan).flatMap((task) =>
    Array.from({ length: trials }, (_, trial) => ({
      task,
      seed: deriveSeed(config.seed, "eval", task.id, plan.decoding, trial),
    }))
  );
}

/** Computes the figures of an evaluation from the episodes of {@linkcode evalJobs}. */
export function evalResult(
  episodes: readonly Episode[],
  options: EvalPlan & { trials: number },
): EvalResult {
  const { split, decoding, trials } = options;
  const byTask = Map.groupBy(episodes, (episode) => episode.taskId);
  const results = [...byTask.values()].map((all) => ({
    trials: scored(all).length,
    successes: scored(all).filter((episode) => rewardOf(episode) === 1).length,
  }));
  const curve = Array.from({ length: trials }, (_, i) => passK(results, i + 1));
  return {
    split,
    decoding,
    tasks: byTask.size,
    trials,
    passK: curve,
    pass1: curve[0] ?? NaN,
    passByIntent: meanByIntent(episodes),
    episodes: episodes.length,
    failures: failuresByKind(episodes),
    stopReasons: stopReasons(episodes),
    lengths: meanLengths(episodes),
    parseErrors: episodes.reduce(
      (sum, { parseErrors }) => sum + parseErrors,
      0,
    ),
  };
}

/** Returns the number of episodes per task. All greedy episodes of a task are equal, so one episode is enough. */
export function trialsOf(config: Config, plan: EvalPlan): number {
  if (plan.decoding === "greedy") return 1;
  return plan.split === "dev" ? config.eval.trials : config.eval.testTrials;
}

/**
 * Returns the tasks to evaluate: the whole split or a fixed sample of it. Returns no tasks if the dataset lacks the
 * split.
 */
function evalTasks(
  { dataset }: Lab,
  config: Config,
  plan: EvalPlan,
): Task[] {
  if (!dataset.splits.includes(plan.split)) return [];
  const all = dataset.tasks(plan.split);
  const most = plan.split === "dev" ? config.eval.tasks : config.eval.testTasks;
  if (most === 0 || most >= all.length) return [...all];
  return createRng(config.seed, "eval tasks", plan.split).shuffle(all).slice(
    0,
    most,
  );
}
