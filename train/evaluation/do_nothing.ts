/** What an agent earns that does nothing and says nothing. A score says little without it. */

import { goldOf } from "../../env/gold.ts";
import { grade } from "../../env/reward.ts";
import type { Dataset, Task } from "../../env/types.ts";

/** The reward of doing nothing on a task; 1 where the gold changes nothing and nothing is to be told. */
export function floorOf(dataset: Dataset, task: Task): 0 | 1 {
  if (dataset.rules !== undefined) return dataset.rules.floor(task);
  const { value } = grade({
    database: dataset.database.fork(),
    gold: goldOf(dataset, task),
    task,
    said: [],
  });
  return value === 1 ? 1 : 0;
}
