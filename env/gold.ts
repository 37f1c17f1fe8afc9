/** Computes the gold state of a task: the state of a fresh world after the task's gold actions. */

import { callTool } from "./call_tool.ts";
import type { Database } from "./database.ts";
import { domainOf } from "./domains/registry.ts";
import type { Dataset, Task } from "./types.ts";

/**
 * Returns the state in which a task should end. The state must not be modified. It is computed once per dataset and
 * task, by the dataset's own rules if it has any, or else by calling every gold action in order, except actions that
 * end a conversation. Some gold actions fail by design.
 */
export function goldOf(dataset: Dataset, task: Task): Database {
  const known = golds.get(dataset)?.get(task);
  if (known !== undefined) return known;
  const gold = dataset.rules?.gold(task) ?? computeGold(dataset, task);
  const ofDataset = golds.get(dataset) ?? new WeakMap<Task, Database>();
  golds.set(dataset, ofDataset.set(task, gold));
  return gold;
}

const golds = new WeakMap<Dataset, WeakMap<Task, Database>>();

function computeGold(dataset: Dataset, task: Task): Database {
  const domain = domainOf(dataset);
  const database = dataset.database.fork();
  for (const action of task.actions) {
    if (dataset.terminatingTools.includes(action.name)) continue;
    callTool(domain, database, action);
  }
  // A fork has no rows of its own, so the texts of the gold rows are cached.
  return database.fork();
}
