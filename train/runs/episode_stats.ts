/** Counts and averages episodes, for the metrics. */

import type { Episode } from "../../env/types.ts";
import type { Lengths } from "./metrics.ts";

/** Returns the scored episodes: all except the episodes that failed because of infrastructure. */
export function scored(episodes: readonly Episode[]): Episode[] {
  return episodes.filter((episode) => episode.reward !== null);
}

/** Returns the reward of an episode; NaN if it was not scored. */
export function rewardOf(episode: Episode): number {
  return episode.reward?.value ?? NaN;
}

/** Counts the episodes that failed because of infrastructure, per kind of failure. */
export function failuresByKind(
  episodes: readonly Episode[],
): Record<string, number> {
  return tally(episodes.map(({ failure }) => failure && failure.kind));
}

/** Counts the scored episodes per stop reason. */
export function stopReasons(
  episodes: readonly Episode[],
): Record<string, number> {
  return tally(scored(episodes).map(({ stopReason }) => stopReason));
}

/** Returns the mean reward per intent over the scored episodes whose task has an intent. */
export function meanByIntent(
  episodes: readonly Episode[],
): Record<string, number> {
  const groups = new Map<string, number[]>();
  for (const episode of scored(episodes)) {
    if (episode.intent === null) continue;
    const rewards = groups.get(episode.intent) ?? [];
    groups.set(episode.intent, [...rewards, rewardOf(episode)]);
  }
  return Object.fromEntries(
    [...groups].sort(([a], [b]) => a < b ? -1 : 1)
      .map(([intent, rewards]) => [intent, mean(rewards)]),
  );
}

/** Returns the mean lengths of scored episodes. */
export function meanLengths(episodes: readonly Episode[]): Lengths {
  const all = scored(episodes);
  return {
    turns: mean(all.map(({ turns }) => turns.length)),
    tokens: mean(all.map(({ trajectory }) => trajectory?.ids.length ?? 0)),
    sampledTokens: mean(all.map(sampledTokens)),
  };
}

/** Returns the number of tokens that the policy sampled in an episode. */
export function sampledTokens({ trajectory }: Episode): number {
  return (trajectory?.lossMask ?? []).reduce<number>(
    (sum, mask) => sum + mask,
    0,
  );
}

/** Returns the mean; 0 for an empty list, so that metrics are always numbers. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Returns how often each string occurs, in alphabetical order of the strings. `null` is skipped. */
export function tally(
  words: readonly (string | null)[],
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words.filter((one) => one !== null).sort()) {
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}
