/** Breaks down the rewards of a run by any key of its episodes, by failure reason, and by group. */

import { variance } from "../../train/advantage.ts";
import { mean } from "../../train/runs/episode_stats.ts";
import type { RunEpisode } from "../../train/runs/run_episodes.ts";
import {
  type Estimate,
  estimateShare,
} from "../../train/evaluation/interval.ts";
import { passEstimates } from "../../train/evaluation/pass_k.ts";

/** The mean reward of all episodes with the same key, with a 95% interval over tasks. Each task has the same weight. */
export interface RewardRow extends Estimate {
  /** The key that the episodes share. */
  readonly key: string;
  readonly episodes: number;
  readonly tasks: number;
}

/** Estimates pass^1 to pass^k from episodes. See `passEstimates()`. */
export function passOf(episodes: readonly RunEpisode[]): Estimate[] {
  return passEstimates(
    episodes.map(({ record }) => ({
      taskId: record.taskId,
      reward: record.reward,
    })),
  );
}

/**
 * Returns the mean reward for each key, in the order in which the keys first appear. Each task has the same weight.
 * Episodes that have no reward because infrastructure failed are omitted. Rewards must be from 0 to 1.
 *
 *     rewardBy(run.episodes(), ({ task }) => task.intent ?? "?")
 */
export function rewardBy(
  episodes: readonly RunEpisode[],
  key: (episode: RunEpisode) => string,
): RewardRow[] {
  const scored = episodes.filter(({ record }) => record.reward !== null);
  return [...Map.groupBy(scored, key)].map(([key, some]) => {
    const tasks = [...Map.groupBy(some, ({ task }) => task.id).values()];
    return {
      key,
      episodes: some.length,
      tasks: tasks.length,
      ...estimateShare(tasks.map((trials) => mean(trials.map(rewardOf)))),
    };
  });
}

/**
 * Returns the reason why an episode did not earn 1, or `null` if it earned 1. For an episode that was not scored, the
 * reason is the kind of infrastructure failure.
 */
export function reasonOf({ record }: RunEpisode): string | null {
  if (record.failure !== null) return `infrastructure: ${record.failure.kind}`;
  if (record.reward === 1) return null;
  return record.reason ?? record.stopReason;
}

/** The number and the share of episodes with a failure reason. */
export interface ReasonRow {
  readonly reason: string;
  readonly episodes: number;
  /** The share of all episodes, including solved episodes, from 0 to 1. */
  readonly share: number;
}

/** Returns the number of episodes with each failure reason. The most frequent reason comes first. */
export function reasonCounts(episodes: readonly RunEpisode[]): ReasonRow[] {
  const failed = episodes.map(reasonOf).filter((reason) => reason !== null);
  return [...Map.groupBy(failed, (reason) => reason)]
    .map(([reason, { length }]) => ({
      reason,
      episodes: length,
      share: length / episodes.length,
    }))
    .sort((a, b) => b.episodes - a.episodes);
}

/** The share of one outcome among the episodes with the same key. */
export interface EndRow {
  /** The key that the episodes share. */
  readonly of: string;
  /** The outcome: `solved`, or a failure reason returned by {@linkcode reasonOf}. */
  readonly kind: string;
  /** The share of episodes with this outcome among the episodes with the key, from 0 to 1. */
  readonly share: number;
}

/** Returns the shares of the outcomes for each key. The outcome `solved` comes first. The shares for a key sum to 1. */
export function waysToEnd(
  episodes: readonly RunEpisode[],
  key: (episode: RunEpisode) => string,
): EndRow[] {
  const kinds = [
    "solved",
    ...reasonCounts(episodes).map(({ reason }) => reason),
  ];
  return [...Map.groupBy(episodes, key)].flatMap(([of, some]) => {
    const ended = Map.groupBy(some, (one) => reasonOf(one) ?? "solved");
    return kinds.map((kind) => ({
      of,
      kind,
      share: (ended.get(kind)?.length ?? 0) / some.length,
    }));
  });
}

/** The maximum number of rows or columns that stay readable in a figure. */
const MAX_RANGES = 10;

/**
 * Returns a function that converts a step to a label for a figure: `71` or, if there are too many steps, a range such
 * as `71–80`.
 * @param steps All steps, in any order. Duplicates are allowed.
 */
export function stepRanges(
  steps: readonly number[],
  { most = MAX_RANGES }: { readonly most?: number } = {},
): (step: number) => string {
  const all = [...new Set(steps)].sort((a, b) => a - b);
  const size = Math.ceil(all.length / most);
  const names = new Map(all.map((step, i) => {
    const first = all[i - i % size]!;
    const last = all[Math.min(all.length, i - i % size + size) - 1]!;
    return [step, first === last ? `${first}` : `${first}–${last}`];
  }));
  return (step) => names.get(step) ?? `${step}`;
}

/** An RL group: the episodes of one task under one policy. */
export interface GroupRow {
  readonly step: number;
  readonly taskId: string;
  readonly intent: string | null;
  /** The rewards of the scored episodes, `[G]`. */
  readonly rewards: readonly number[];
  /** The variance of the rewards. A group with variance 0 provides no learning signal. */
  readonly variance: number;
}

/** Groups the scored RL episodes by step and task, in the order in which the groups first appear. */
export function groupsOf(episodes: readonly RunEpisode[]): GroupRow[] {
  const trained = episodes.filter(({ record }) =>
    record.source === "rl" && record.reward !== null
  );
  const groups = Map.groupBy(
    trained,
    ({ record }) => `${record.step} ${record.taskId}`,
  );
  return [...groups.values()].map((some) => {
    const { step, taskId, intent } = some[0]!.record;
    const rewards = some.map(rewardOf);
    return { step, taskId, intent, rewards, variance: variance(rewards) };
  });
}

function rewardOf({ record }: RunEpisode): number {
  return record.reward ?? NaN;
}
