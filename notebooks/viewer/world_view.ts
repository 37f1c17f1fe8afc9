/** The world that a run was in: its data made again, if they are the same, so that an episode can be replayed. */

import { messageOf } from "../../env/errors.ts";
import type { Dataset, Split, Task } from "../../env/types.ts";
import {
  type BenchmarkDirs,
  dataAt,
  openDataset,
} from "../../train/config/open_dataset.ts";
import { readData } from "../../train/runs/run_episodes.ts";

/** A world, or why there is none. */
export type World =
  | { readonly dataset: Dataset; readonly note: null }
  | { readonly dataset: null; readonly note: string };

/**
 * Makes the data of the run at `path` again.
 * @param options.fingerprint What `run.json` says they were.
 * @param options.dirs Where benchmarks' data are, for runs on them that were made elsewhere.
 */
export async function openWorld(
  path: string,
  { fingerprint, dirs }: {
    fingerprint: string | null;
    dirs: BenchmarkDirs;
  },
): Promise<World> {
  try {
    const data = await readData(path);
    const dataset = await openDataset(dataAt(data, dirs));
    if (fingerprint === null || dataset.fingerprint === fingerprint) {
      return { dataset, note: null };
    }
    return {
      dataset: null,
      note:
        "This taulab makes other data than the run had, so what the rows were at first is not shown",
    };
  } catch (error) {
    return {
      dataset: null,
      note:
        `The run's data are not at hand, so what the rows were at first is not shown: ${
          messageOf(error)
        }`,
    };
  }
}

/** A task of a dataset by its id. */
export function taskOf(dataset: Dataset | null, id: string): Task | null {
  const split = /^[^/]+\/([^/]+)\//.exec(id)?.[1];
  if (dataset === null || !dataset.splits.includes(split as Split)) return null;
  return dataset.tasks(split as Split).find((task) => task.id === id) ?? null;
}
