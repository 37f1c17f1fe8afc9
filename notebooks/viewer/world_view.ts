/** Reopens a run's dataset, so that its episodes can be replayed. */

import { messageOf } from "../../env/errors.ts";
import type { Dataset, Split, Task } from "../../env/types.ts";
import {
  type BenchmarkDirs,
  dataAt,
  openDataset,
} from "../../train/config/open_dataset.ts";
import { readData } from "../../train/runs/run_episodes.ts";

/** A reopened dataset, or a note that explains why it is not available. */
export type World =
  | { readonly dataset: Dataset; readonly note: null }
  | { readonly dataset: null; readonly note: string };

/**
 * Reopens the dataset of the run at `path`.
 * @param options.fingerprint The fingerprint of the dataset as recorded in `run.json`.
 * @param options.dirs The benchmarks' directories, for runs recorded on another machine.
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
      note: data.source === "generated"
        ? "This version of taulab generates a different dataset from the one the run used, so initial values are not shown"
        : `The data of ${data.source} differs from the data that the run used, so initial values are not shown`,
    };
  } catch (error) {
    return {
      dataset: null,
      note:
        `The run's dataset is not available, so initial values are not shown: ${
          messageOf(error)
        }`,
    };
  }
}

/** Returns the task with the given id, or `null` if the dataset has none. */
export function taskOf(dataset: Dataset | null, id: string): Task | null {
  const split = /^[^/]+\/([^/]+)\//.exec(id)?.[1];
  if (dataset === null || !dataset.splits.includes(split as Split)) return null;
  return dataset.tasks(split as Split).find((task) => task.id === id) ?? null;
}
