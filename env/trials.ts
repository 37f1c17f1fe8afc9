/** Creates specs for rollouts: every trial of a list of tasks, each with a different seed. */

import { deriveSeed } from "./random.ts";
import type { RolloutSpec } from "./rollout.ts";
import type { Task } from "./types.ts";

/** Options for {@linkcode trialSpecs}, shared by all trials. */
export interface TrialOptions extends Omit<RolloutSpec, "task"> {
  /** The seed from which each trial's seed is derived. */
  readonly seed: number;
  /** The number of trials per task. Default: 1. */
  readonly trials?: number;
}

/**
 * Returns the trials of tasks, for {@linkcode rolloutAll}. The first trial of every task comes first, so that an
 * interrupted run covers all tasks. The seeds are those of `deno task evaluate`, so that a script gets the same
 * episodes.
 * @param tasks `[P]`.
 * @returns `[P * trials]`.
 * @throws {RangeError} If `trials` is not a positive integer.
 */
export function trialSpecs(
  tasks: readonly Task[],
  { trials = 1, ...shared }: TrialOptions,
): RolloutSpec[] {
  if (!Number.isInteger(trials) || trials < 1) {
    throw new RangeError(
      `Cannot run ${trials} trials per task: the number must be a positive integer`,
    );
  }
  return Array.from(
    { length: trials },
    (_, trial) =>
      tasks.map((task) => ({
        ...shared,
        task,
        seed: trialSeed(shared.seed, { task, trial }),
      })),
  ).flat();
}

/** Derives the seed of a task's trial (counted from 0). The seed does not depend on the other tasks. */
export function trialSeed(
  seed: number,
  { task, trial }: { readonly task: Task; readonly trial: number },
): number {
  return deriveSeed(seed, "evaluate", task.id, trial);
}
