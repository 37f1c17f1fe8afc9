/**
 * The do-nothing baseline: the reward of an agent that neither acts nor speaks. A score is meaningful only in
 * comparison with it.
 */

import { goldOf } from "../../env/gold.ts";
import { grade } from "../../env/reward.ts";
import type { Dataset, Task } from "../../env/types.ts";

/**
 * Returns the do-nothing baseline of a task: 1 if its gold solution changes nothing and the user need not be told
 * anything, otherwise 0. A benchmark with its own rules may define it differently.
 */
export function baselineOf(dataset: Dataset, task: Task): 0 | 1 {
  if (dataset.rules !== undefined) return dataset.rules.baseline(task);
  const { value } = grade({
    database: dataset.database.fork(),
    gold: goldOf(dataset, task),
    task,
    messages: [],
  });
  return value === 1 ? 1 : 0;
}
