/** The episodes of a run as flat rows. */

import { basename, resolve } from "node:path";
import { frameOf } from "./episode_facts.ts";
import { counter, type EpisodeRow } from "./episode_rows.ts";
import { readRunInfo, readStore } from "./run_reader.ts";

/** Which episodes of a run are meant. Default: all. */
export interface EpisodeFilter {
  readonly step?: number;
  /** `rl`, `eval/test/greedy`, `evaluate/test`. */
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
  { onDamaged, ...filter }: EpisodeFilter & {
    /** Told of each episode that is left out because its row is damaged, in a sentence. */
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
