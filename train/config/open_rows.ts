/** Draws tasks from the rows of a benchmark's checkout, but not for users who appear in held-out tasks. */

import { loadTaskFile } from "../../env/benchmarks/tau/tau_bench.ts";
import { domainKey } from "../../env/domains/registry.ts";
import { ConfigError } from "../../env/errors.ts";
import type { GenerateHooks } from "../../env/generated/factory.ts";
import type { RowOptions } from "../../env/generated/row_options.ts";
import {
  drawRowTasks,
  type RowTasksDataset,
} from "../../env/generated/row_tasks.ts";
import type { Dataset, Split, Task } from "../../env/types.ts";
import type { Config } from "./config.ts";

const SPLITS: readonly string[] = ["train", "dev", "test"] satisfies Split[];

/**
 * Draws the tasks that a config requests and returns the dataset with them.
 * @throws {ConfigError} If the dataset keeps its own train tasks although the users of these tasks are held out, or if
 * no task can be drawn.
 * @throws {DataError} If a file of held-out tasks does not exist or is malformed.
 */
export async function withRowTasks(
  dataset: Dataset,
  rows: Config["data"]["rows"],
  hooks: GenerateHooks = {},
): Promise<RowTasksDataset> {
  const options = rows as RowOptions;
  const tasks = await Promise.all(
    options.holdOut.map((name) => heldOut(dataset, name)),
  );
  if (options.ownTrain && options.holdOut.includes("train")) {
    throw new ConfigError(
      'data.rows.ownTrain keeps the train tasks, but "train" in data.rows.holdOut excludes their users',
      {
        hint:
          'set data.rows.ownTrain to false, or remove "train" from data.rows.holdOut',
      },
    );
  }
  return await drawRowTasks(dataset, {
    ...hooks,
    options,
    heldOut: tasks.flat(),
  });
}

/** Returns the tasks of a split or of a task file. If the benchmark lacks the split, the list is empty. */
async function heldOut(
  dataset: Dataset,
  name: string,
): Promise<readonly Task[]> {
  if (!SPLITS.includes(name)) {
    return await loadTaskFile(name, {
      domain: domainKey(dataset),
      split: "test",
    });
  }
  const split = name as Split;
  return dataset.splits.includes(split) ? dataset.tasks(split) : [];
}
