/** Rewards of a run from all sides: by whatever its episodes differ in, by why they failed, within groups. */

import { variance } from "../../train/advantage.ts";
import { mean } from "../../train/runs/episode_stats.ts";
import type { RunEpisode } from "../../train/runs/run_episodes.ts";
import {
  type Estimate,
  estimateShare,
} from "../../train/evaluation/interval.ts";
import { passEstimates } from "../../train/evaluation/pass_k.ts";

/** The mean reward of some episodes, with its 95% interval over tasks. */
export interface RewardRow extends Estimate {
  /** What they have in common. */
  readonly key: string;
  readonly episodes: number;
  readonly tasks: number;
}

/** pass^1 to pass^k of episodes; see `passEstimates()`. */
export function passOf(episodes: readonly RunEpisode[]): Estimate[] {
  return passEstimates(
    episodes.map(({ record }) => ({
      taskId: record.taskId,
      reward: record.reward,
    })),
  );
}

/**
 * Mean rewards of the episodes that have a key in common, keys in the order in which they first come. Episodes that
 * infrastructure broke were not scored and are left out. Rewards have to be within 0..1.
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

/** Why episodes earned less than 1, in one word; `null` where they earned 1. */
export function reasonOf({ record }: RunEpisode): string | null {
  if (record.failure !== null) return `infrastructure: ${record.failure.kind}`;
  if (record.reward === 1) return null;
  return record.reason ?? record.stopReason;
}

/** How often episodes failed for a reason. */
export interface ReasonRow {
  readonly reason: string;
  readonly episodes: number;
  /** Of all episodes, solved ones too; within 0..1. */
  readonly share: number;
}

/** Reasons with their counts, most first. */
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

/** The share of some episodes that ended in a way. */
export interface EndRow {
  /** What the episodes have in common. */
  readonly of: string;
  /** `solved`, or a reason as {@linkcode reasonOf} gives it. */
  readonly kind: string;
  /** Of the episodes that have it in common, within 0..1. */
  readonly share: number;
}

/** How the episodes that have a key in common ended; the shares of a key sum to 1. `solved` comes first. */
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

/** More rows or columns than this cannot be read in a figure. */
const MOST_RANGES = 10;

/**
 * Names steps in figures that have no room for each: `71`, or where there are many the range that a step is in, `71–80`.
 * @param steps All of them, in any order, as often as they come.
 */
export function stepRanges(
  steps: readonly number[],
  { most = MOST_RANGES }: { readonly most?: number } = {},
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

/** A group of RL: the episodes of one task under one policy. */
export interface GroupRow {
  readonly step: number;
  readonly taskId: string;
  readonly intent: string | null;
  /** `[G]`, those that were scored. */
  readonly rewards: readonly number[];
  /** 0 where they all agree: such a group teaches nothing. */
  readonly variance: number;
}

/** The groups that a run kept, in order. */
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
