/**
 * Episodes as flat records: one row per episode, for a data frame or a figure.
 *
 *     run dir ─▶ readEpisodeRows ─┐
 *                                 ├─▶ rows ─▶ a figure, or writeTable ─▶ pandas, polars, DuckDB
 *     rollouts ─▶ episodeRows ────┘
 */

import type { Episode } from "../../env/types.ts";
import {
  type EpisodeFrame,
  factsOf,
  FRAME_INTEGERS,
  frameOf,
} from "./episode_facts.ts";

/**
 * An episode as a flat record. Most of its keys are columns of `episodes.db`, so queries and data frames use the same
 * names; episode_columns.ts documents them. `null` means unknown or not applicable.
 */
export type EpisodeRow =
  & {
    /** The name of the run; `null` if the episode belongs to no run. */
    readonly run: string | null;
    /** The episode's id in the run, or its index from 0 if it belongs to no run. */
    readonly id: number;
    readonly step: number | null;
    readonly source: string | null;
    readonly group_index: number | null;
    /** The episode's index among the episodes of the same task, step and source, from 0, in the order of the rows. */
    readonly trial: number;
  }
  & Omit<EpisodeFrame, "step" | "source" | "group_index">;

/** The names of the columns that contain only integers. */
export const EPISODE_INTEGERS: readonly (keyof EpisodeRow)[] = [
  "id",
  "trial",
  ...FRAME_INTEGERS,
];

/** The position of an episode that belongs to no run. */
const NO_PLACE = { step: 0, source: "", group: 0, advantage: null };

/**
 * Converts episodes in memory to rows, in the same order.
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
  return episodes.map((episode, id) => {
    const trial = next(episode.taskId);
    const frame = frameOf(factsOf(episode, NO_PLACE));
    const place = { step: null, source: null, group_index: null };
    return { run: null, id, ...place, trial, ...frame, ...place };
  });
}

/** Returns a function that returns the number of its earlier calls with the same key. */
export function counter(): (key: string) => number {
  const counts = new Map<string, number>();
  return (key) => {
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    return count;
  };
}
