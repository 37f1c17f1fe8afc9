/** Tasks by how often a policy solves them: those that it never or always solves teach it nothing. */

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

/** A task with the share of its trials that earned the reward. */
export interface TaskRate {
  readonly task: Task;
  /** Within 0..1; `null` where infrastructure failed in every trial. */
  readonly rate: number | null;
}

/** What is measured. */
export interface MeasureOptions extends CallOptions {
  readonly dataset: Dataset;
  readonly tasks: readonly Task[];
  readonly agent: Agent;
  readonly user: UserFactory;
  readonly trials: number;
  readonly seed: number;
  readonly concurrency: number;
  readonly maxTurns: number;
  /** Called with each episode that ends. */
  readonly onEpisode?: () => void;
}

/** Plays every task a number of times. */
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

/** Tasks outside of a range of rates, as a file of exclusions has them. */
export function outside(
  rates: readonly TaskRate[],
  [least, most]: readonly [number, number],
): Exclusion[] {
  return rates.filter(({ rate }) =>
    rate === null || rate < least || rate > most
  ).map(({ task, rate }) => ({
    task: task.id,
    reason: rate === null
      ? "it could not be measured"
      : `it is solved in ${(rate * 100).toFixed(0)}% of its trials`,
  }));
}
