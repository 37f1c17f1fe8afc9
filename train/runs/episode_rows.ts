/**
 * Episodes as flat records: a row an episode, for a data frame or a figure.
 *
 *     run dir ─▶ readEpisodeRows ─┐
 *                                 ├─▶ rows ─▶ a figure, or writeTable ─▶ pandas, polars, DuckDB
 *     rollouts ─▶ episodeRows ────┘
 */

import { basename, resolve } from "node:path";
import type { Episode } from "../../env/types.ts";
import {
  type EpisodeFrame,
  factsOf,
  FRAME_INTEGERS,
  frameOf,
} from "./episode_facts.ts";
import { readRunInfo, readStore } from "./run_reader.ts";

/**
 * An episode in plain values. Names are those of the columns of `episodes.db`, so a query there and a data frame
 * agree; episode_columns.ts says what each is. `null` is what is not known or does not apply.
 */
export type EpisodeRow =
  & {
    /** The name of the run; `null` of episodes that are in none. */
    readonly run: string | null;
    /** In its run, or from 0. */
    readonly id: number;
    readonly step: number | null;
    readonly source: string | null;
    readonly group_index: number | null;
    /** Which of its task's episodes in that step and source, from 0, in the order of the rows. */
    readonly trial: number;
  }
  & Omit<EpisodeFrame, "step" | "source" | "group_index">;

/** The columns of whole numbers. */
export const EPISODE_INTEGERS: readonly (keyof EpisodeRow)[] = [
  "id",
  "trial",
  ...FRAME_INTEGERS,
];

/** Of an episode that is in no run. */
const NOWHERE = { step: 0, source: "", group: 0, advantage: null };

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
  return episodes.map((episode, id) => {
    const trial = next(episode.taskId);
    const frame = frameOf(factsOf(episode, NOWHERE));
    const place = { step: null, source: null, group_index: null };
    return { run: null, id, ...place, trial, ...frame, ...place };
  });
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
    const { id, step, source, group, taskId } = episode;
    const trial = next(`${step} ${source} ${taskId}`);
    const place = { step, source, group_index: group };
    return { run, id, ...place, trial, ...frameOf(episode) };
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
