/** Creates rollout specs: one for each trial of each task, with different seeds. */

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
 * Returns the specs of all trials of the tasks, for {@linkcode rolloutAll}. The first trials of all tasks precede the
 * second trials, so that an interrupted run covers as many tasks as possible. The seeds are derived as in `deno task
 * evaluate`, so a script with the same settings gets the same episodes.
 * @param tasks The `P` tasks to run.
 * @returns `P * trials` specs.
 * @throws {RangeError} If `trials` is not a positive integer.
 */
export function trialSpecs(
  tasks: readonly Task[],
  { trials = 1, ...shared }: TrialOptions,
): RolloutSpec[] {
  if (!Number.isInteger(trials) || trials < 1) {
    throw new RangeError(
      `trials must be a positive integer, but it is ${trials}`,
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

/** Derives the seed for one trial of a task. Trials are counted from 0. The seed does not depend on the other tasks. */
export function trialSeed(
  seed: number,
  { task, trial }: { readonly task: Task; readonly trial: number },
): number {
  return deriveSeed(seed, "evaluate", task.id, trial);
}
