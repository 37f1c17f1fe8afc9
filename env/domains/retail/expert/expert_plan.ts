/**
 * What the expert knows before a conversation: for each of the customer's requests the gold write that
 * meets it, and what must be told.
 */

import type { Database } from "../../../database.ts";
import type { Goal, Request, Task, ToolAction } from "../../../types.ts";
import { benchGoal, REQUEST_INTENTS } from "../user/bench_goal.ts";

/** One request and how it is met. */
export interface PlanStep {
  readonly request: Request;
  /** The gold write; none for questions and refusals. */
  readonly write: ToolAction | undefined;
  /** What must be told. */
  readonly outputs: readonly string[];
}

/** How a task is met. */
export interface Plan {
  readonly identity: Goal["identity"];
  readonly steps: readonly PlanStep[];
  /**
   * Gold reads that a question needs, where the goal does not say what it is about (τ-bench); they are
   * made before it is answered.
   */
  readonly reads: readonly ToolAction[];
  /** The gold transfer to a person, where there is one. */
  readonly transfer: ToolAction | undefined;
  /** The gold actions but for the transfer, where the expert has no desk for the domain and plays them in order. */
  readonly recital: readonly ToolAction[] | undefined;
}

/** The words of the customer are known beforehand only to be recognised when they are said. */
export function planOf(task: Task, database: Database): Plan {
  const goal = task.goal ?? benchGoal(task, database).goal;
  const writes = task.actions.filter(({ name }) => name in REQUEST_INTENTS);
  const telling = goal.requests.filter(tells);
  const steps = goal.requests.map((request): PlanStep => {
    if (!tells(request)) {
      return { request, write: writes.shift(), outputs: [] };
    }
    const place = telling.indexOf(request);
    const outputs = telling.length === 1
      ? task.outputs
      : task.outputs.slice(place, place + 1);
    return { request, write: undefined, outputs };
  });
  return {
    identity: goal.identity,
    steps,
    reads: task.goal === undefined ? task.actions.filter(isLookup) : [],
    transfer: task.actions.find(isTransfer),
    recital: task.domain === "retail"
      ? undefined
      : task.actions.filter((action) => !isTransfer(action)),
  };
}

/** Whether a request is met by words rather than by a write. */
function tells(request: Request): boolean {
  return request.intent === "question" || request.refused === true;
}

function isTransfer({ name }: ToolAction): boolean {
  return name === "transfer_to_human_agents";
}

function isLookup({ name }: ToolAction): boolean {
  return name.startsWith("get_") || name.startsWith("list_") ||
    name === "calculate";
}
