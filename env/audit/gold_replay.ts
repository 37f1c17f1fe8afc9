/** Replays a task's gold actions in order. */

import { callTool } from "../call_tool.ts";
import type { Database } from "../database.ts";
import { domainOf } from "../domains/registry.ts";
import type { Dataset, Task, ToolAction } from "../types.ts";

/** A replayed gold action, with its result and the states before and after it. */
export interface GoldStep {
  readonly action: ToolAction;
  readonly answer: string;
  readonly before: Database;
  readonly after: Database;
  readonly changed: boolean;
}

/** Replays a task's gold actions in a fresh world. */
export function replayGold(task: Task, dataset: Dataset): GoldStep[] {
  const domain = domainOf(dataset);
  let before = dataset.database.fork();
  return task.actions.map((action) => {
    const after = before.fork();
    const answer = callTool(domain, after, action);
    const changed = after.diff(before).length > 0;
    const step = { action, answer, before, after, changed };
    before = after;
    return step;
  });
}
