/** Selects tasks by how often a policy solves them. Tasks that it never or always solves teach it nothing. */

import { deriveSeed } from "../../env/random.ts";
import { rolloutAll } from "../../env/rollout.ts";
import type {
  Agent,
  CallOptions,
  Dataset,
  Task,
  UserFactory,
} from "../../env/types.ts";
import type { Exclusion } from "../config/exclusions.ts";

/** A task with its solve rate: the mean reward of its trials that were scored. */
export interface TaskRate {
  readonly task: Task;
  /** The rate, from 0 to 1; `null` if every trial failed because of infrastructure. */
  readonly rate: number | null;
}

/** Options for {@linkcode measureRates}. */
export interface MeasureOptions extends CallOptions {
  readonly dataset: Dataset;
  readonly tasks: readonly Task[];
  readonly agent: Agent;
  readonly user: UserFactory;
  readonly trials: number;
  readonly seed: number;
  readonly concurrency: number;
  readonly maxTurns: number;
  /** Called after each completed episode. */
  readonly onEpisode?: () => void;
}

/** Runs several trials of every task and returns the solve rates. */
export async function measureRates(
  { dataset, tasks, trials, seed, concurrency, onEpisode, signal, ...spec }:
    MeasureOptions,
): Promise<TaskRate[]> {
  const specs = tasks.flatMap((task) =>
    Array.from({ length: trials }, (_, trial) => ({
      ...spec,
      dataset,
      task,
      seed: deriveSeed(seed, "curriculum", task.id, trial),
    }))
  );
  const episodes = await rolloutAll(specs, {
    concurrency,
    now: () => performance.now(),
    signal,
    ...(onEpisode === undefined ? {} : { onEpisode }),
  });
  return tasks.map((task, at) => {
    const scored = episodes.slice(at * trials, (at + 1) * trials)
      .flatMap(({ reward }) => reward === null ? [] : [reward.value]);
    const sum = scored.reduce((total, value) => total + value, 0);
    return { task, rate: scored.length === 0 ? null : sum / scored.length };
  });
}

/** Returns an exclusion for each task whose rate is unknown or outside a range. */
export function outside(
  rates: readonly TaskRate[],
  [least, most]: readonly [number, number],
): Exclusion[] {
  return rates.filter(({ rate }) =>
    rate === null || rate < least || rate > most
  ).map(({ task, rate }) => ({
    task: task.id,
    reason: rate === null
      ? "could not be measured"
      : `solved in ${(rate * 100).toFixed(0)}% of its trials`,
  }));
}
