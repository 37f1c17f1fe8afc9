/**
 * Episodes as flat records: a row an episode, for a data frame or a figure.
 *
 *     run dir ─▶ readEpisodeRows ─┐
 *                                 ├─▶ rows ─▶ a figure, or writeTable ─▶ pandas, polars, DuckDB
 *     rollouts ─▶ episodeRows ────┘
 */

import { basename, resolve } from "node:path";
import type { Episode } from "../../env/types.ts";
import type { StoredEpisode } from "./episode_store.ts";
import { readRunInfo, readStore } from "./run_reader.ts";

/**
 * An episode in plain values. Names are those of the columns of `episodes.db`, so a query there and a data frame
 * agree. `null` is what is not known or does not apply.
 */
export type EpisodeRow = {
  /** The name of the run; `null` of episodes that are in none. */
  readonly run: string | null;
  /** In its run, or from 0. */
  readonly id: number;
  readonly step: number | null;
  /** `grpo`, `eval/test/greedy`, `evaluate/test`. */
  readonly source: string | null;
  /** Which group or task of its step and source, from 0. */
  readonly group_index: number | null;
  /** Which of its task's episodes in that step and source, from 0, in the order of the rows. */
  readonly trial: number;
  readonly task_id: string;
  readonly domain: string;
  readonly split: string;
  readonly intent: string | null;
  readonly seed: number;
  readonly agent: string;
  readonly model: string;
  readonly user: string;
  /** `null` where infrastructure failed: not scored. */
  readonly reward: number | null;
  /** The two parts of τ-bench's reward, 0 or 1. */
  readonly reward_database: number | null;
  readonly reward_outputs: number | null;
  readonly advantage: number | null;
  readonly stop_reason: string;
  /** Why the reward is not 1. */
  readonly reason: string | null;
  readonly failure_kind: string | null;
  readonly failure_source: string | null;
  readonly failure: string | null;
  /** Faults of the simulated customer. */
  readonly user_faults: number | null;
  readonly retries: number;
  readonly parse_errors: number;
  readonly turn_count: number;
  /** Prompt and answers together; `null` where the model does not work on tokens. */
  readonly token_count: number | null;
  /** Calls of the agent's model, as far as it counts them. */
  readonly agent_calls: number | null;
  readonly agent_prompt_tokens: number | null;
  readonly agent_completion_tokens: number | null;
  /** In US dollars. */
  readonly agent_cost: number | null;
  readonly user_calls: number | null;
  readonly user_prompt_tokens: number | null;
  readonly user_completion_tokens: number | null;
  readonly user_cost: number | null;
  readonly started_at_ms: number;
  readonly duration_ms: number;
};

/** The columns of whole numbers. */
export const EPISODE_INTEGERS = [
  "id",
  "step",
  "group_index",
  "trial",
  "seed",
  "reward_database",
  "reward_outputs",
  "user_faults",
  "retries",
  "parse_errors",
  "turn_count",
  "token_count",
  "agent_calls",
  "agent_prompt_tokens",
  "agent_completion_tokens",
  "user_calls",
  "user_prompt_tokens",
  "user_completion_tokens",
] as const satisfies readonly (keyof EpisodeRow)[];

/**
 * The rows of episodes at hand, in their order.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { expertAgent } from "../../env/agents/expert.ts";
 * import { generated } from "../../env/generated/generated.ts";
 * import { rollout } from "../../env/rollout.ts";
 * import { scriptedUser } from "../../env/users/scripted.ts";
 * import { episodeRows } from "./episode_rows.ts";
 *
 * const dataset = await generated(1, { trainTasks: 1, devTasks: 1, testTasks: 1 });
 * const task = dataset.tasks("test")[0]!;
 * const user = scriptedUser(dataset);
 * const episode = await rollout({ dataset, task, agent: expertAgent(), user, seed: 1 });
 * const [row] = episodeRows([episode]);
 * equal(row?.task_id, task.id);
 * ```
 */
export function episodeRows(episodes: readonly Episode[]): EpisodeRow[] {
  const next = counter();
  return episodes.map((episode, id) => ({
    run: null,
    id,
    step: null,
    source: null,
    group_index: null,
    trial: next(episode.taskId),
    advantage: null,
    ...factsOf({
      ...episode,
      reward: episode.reward?.value ?? null,
      rewardDetail: episode.reward,
      turns: episode.turns.length,
      tokens: episode.trajectory?.ids.length ?? 0,
    }),
  }));
}

/** Which episodes of a run are meant. Default: all. */
export interface EpisodeFilter {
  readonly step?: number;
  /** `grpo`, `eval/test/greedy`, `evaluate/test`. */
  readonly source?: string;
  readonly taskId?: string;
}

/**
 * The rows of a run's episodes, in the order in which they were written. A run may be of any kind and still under way;
 * its data need not be there.
 *
 *     const rows = await readEpisodeRows("runs/a1", { source: "eval/test/greedy" });
 *
 * @throws {ConfigError} If there is no such run, or it has kept no episodes.
 * @throws {RunDirError} If it is of another version or damaged.
 */
export async function readEpisodeRows(
  path: string,
  filter: EpisodeFilter = {},
): Promise<EpisodeRow[]> {
  await readRunInfo(path);
  using store = readStore(path);
  const run = basename(resolve(path));
  const next = counter();
  return store.list(filter).map((episode) => {
    const { id, step, source, group, advantage, taskId } = episode;
    return {
      run,
      id,
      step,
      source,
      group_index: group,
      trial: next(`${step} ${source} ${taskId}`),
      advantage,
      ...factsOf(episode),
    };
  });
}

/** Counts by key, from 0. */
function counter(): (key: string) => number {
  const counts = new Map<string, number>();
  return (key) => {
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    return count;
  };
}

/** What an episode knows, wherever it stands. */
type Facts = Omit<
  StoredEpisode,
  "id" | "step" | "source" | "group" | "advantage"
>;

function factsOf(episode: Facts) {
  const { rewardDetail, failure, findings, tokens, usage } = episode;
  return {
    task_id: episode.taskId,
    domain: episode.domain,
    split: episode.split,
    intent: episode.intent,
    seed: episode.seed,
    agent: episode.agent,
    model: episode.model,
    user: episode.user,
    reward: episode.reward,
    reward_database: rewardDetail?.parts.database ?? null,
    reward_outputs: rewardDetail?.parts.outputs ?? null,
    stop_reason: episode.stopReason,
    reason: episode.reason,
    failure_kind: failure?.kind ?? null,
    failure_source: failure?.source ?? null,
    failure: failure?.message ?? null,
    user_faults: findings?.length ?? null,
    retries: episode.retries,
    parse_errors: episode.parseErrors,
    turn_count: episode.turns,
    token_count: tokens === 0 ? null : tokens,
    ...usageOf(usage),
    started_at_ms: episode.startedAtMs,
    duration_ms: episode.durationMs,
  };
}

function usageOf(usage: Facts["usage"]) {
  const { agent, user } = usage ?? {};
  return {
    agent_calls: agent?.calls ?? null,
    agent_prompt_tokens: agent?.promptTokens ?? null,
    agent_completion_tokens: agent?.completionTokens ?? null,
    agent_cost: agent?.cost ?? null,
    user_calls: user?.calls ?? null,
    user_prompt_tokens: user?.promptTokens ?? null,
    user_completion_tokens: user?.completionTokens ?? null,
    user_cost: user?.cost ?? null,
  };
}
