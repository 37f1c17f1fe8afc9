/** What to roll out: every trial of some tasks, each with a seed of its own. */

import { deriveSeed } from "./random.ts";
import type { RolloutSpec } from "./rollout.ts";
import type { Task } from "./types.ts";

/** What the trials share. */
export interface TrialOptions extends Omit<RolloutSpec, "task"> {
  /** Every trial's seed is derived from it. */
  readonly seed: number;
  /** How often each task is tried. Default: 1. */
  readonly trials?: number;
}

/**
 * The trials of tasks, for {@linkcode rolloutAll}: first trials first, so that what is interrupted covers all tasks.
 * Seeds are those of `deno task evaluate`, so a script and the task have the same episodes.
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
      `Cannot try each task ${trials} times: it must be a positive integer`,
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

/** The seed of a task's trial, from 0: depends on these, and not on which other tasks there are. */
export function trialSeed(
  seed: number,
  { task, trial }: { readonly task: Task; readonly trial: number },
): number {
  return deriveSeed(seed, "evaluate", task.id, trial);
}
