/** Reads the episodes of a run as flat rows. */

import { basename, resolve } from "node:path";
import { frameOf } from "./episode_facts.ts";
import { counter, type EpisodeRow } from "./episode_rows.ts";
import { readRunInfo, readStore } from "./run_reader.ts";

/** A filter that selects episodes of a run. Default: all episodes. */
export interface EpisodeFilter {
  readonly step?: number;
  /** The name of the source: `rl`, `eval/test/greedy`, `evaluate/test`. */
  readonly source?: string;
  readonly taskId?: string;
}

/**
 * Reads the rows of a run's episodes, in the order in which they were written. The run may be of any kind and may still
 * be running; its dataset is not needed.
 *
 *     const rows = await readEpisodeRows("runs/a1", { source: "eval/test/greedy" });
 *
 * @throws {ConfigError} If there is no such run, or its episodes were not kept.
 * @throws {RunDirError} If it is damaged or from an incompatible version.
 */
export async function readEpisodeRows(
  path: string,
  { onDamaged, ...filter }: EpisodeFilter & {
    /** Called with a sentence for each episode that is skipped because its row is damaged. */
    readonly onDamaged?: (what: string) => void;
  } = {},
): Promise<EpisodeRow[]> {
  await readRunInfo(path);
  using store = readStore(path);
  const run = basename(resolve(path));
  const next = counter();
  const { episodes, damaged } = store.readable(filter);
  for (const { what } of damaged) onDamaged?.(what);
  return episodes.map((episode) => {
    const { id, step, source, group, taskId } = episode;
    const trial = next(`${step} ${source} ${taskId}`);
    const place = { step, source, group_index: group };
    return { run, id, ...place, trial, ...frameOf(episode) };
  });
}
