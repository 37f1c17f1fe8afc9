/** Measures the episodes of an earlier run or evaluation to forecast another run. */

import { ConfigError } from "../../../env/errors.ts";
import type { Usage } from "../../../env/types.ts";
import { addUsage, NO_USAGE } from "../../../env/models/usage.ts";
import { mean } from "../../runs/episode_stats.ts";
import type { StoredEpisode } from "../../runs/episode_facts.ts";
import { readRunInfo, readStore } from "../../runs/run_reader.ts";
import type { EpisodeCalls, EpisodeRates } from "./forecast.ts";

/**
 * Measures the episodes of a run dir. Failed episodes are not counted.
 * @param promptTokens The number of tokens in the policy text and the tools according to the plan. A run dir does not
 * record this number.
 * @throws {ConfigError} If the run does not exist or has no episodes, or all of them failed.
 */
export async function measuredRates(
  path: string,
  promptTokens: number,
): Promise<EpisodeRates> {
  await readRunInfo(path);
  using store = readStore(path);
  const all = store.readable().episodes;
  const episodes = all.filter(({ failure }) => failure === null);
  if (episodes.length === 0) {
    throw new ConfigError(
      `Cannot measure the episodes of "${path}": ${
        all.length === 0 ? "it has none" : "all of them failed"
      }`,
      { hint: "pass another run with --rates-from" },
    );
  }
  const tokens = meanTokens(episodes) ??
    lastPrompt(episodes, promptTokens);
  return {
    measuredOn: path,
    episodes: episodes.length,
    turns: mean(episodes.map(({ turns }) => turns)),
    tokens: tokens ?? promptTokens,
    promptTokens: Math.min(promptTokens, tokens ?? promptTokens),
    seconds: mean(episodes.map(({ durationMs }) => durationMs)) / 1000,
    user: meanCalls(episodes),
  };
}

/** Returns the mean number of tokens of episodes with a token-level model; `undefined` if there are none. */
function meanTokens(episodes: readonly StoredEpisode[]): number | undefined {
  const known = episodes.map(({ tokens }) => tokens).filter((n) => n > 0);
  return known.length === 0 ? undefined : mean(known);
}

/**
 * Estimates the mean number of tokens in the last prompt of an episode; `undefined` if no calls were recorded. A chat
 * model reads the whole conversation in each turn: on average, the first prompt and half of the rest.
 */
function lastPrompt(
  episodes: readonly StoredEpisode[],
  promptTokens: number,
): number | undefined {
  const usage = total(episodes.map(({ usage }) => usage?.agent ?? NO_USAGE));
  if (usage.calls === 0) return undefined;
  const middle = usage.promptTokens / usage.calls;
  return Math.max(middle, 2 * middle - promptTokens);
}

function meanCalls(episodes: readonly StoredEpisode[]): EpisodeCalls | null {
  const usage = total(episodes.map(({ usage }) => usage?.user ?? NO_USAGE));
  if (usage.calls === 0) return null;
  const { length } = episodes;
  return {
    calls: usage.calls / length,
    promptTokens: usage.promptTokens / length,
    cachedTokens: usage.cachedTokens / length,
    completionTokens: usage.completionTokens / length,
  };
}

function total(usages: readonly Usage[]): Usage {
  return usages.reduce(addUsage, NO_USAGE);
}
