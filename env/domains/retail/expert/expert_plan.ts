/**
 * What the expert knows before a conversation: for each of the user's requests the gold write that
 * meets it, and what must be told.
 */

import type { Database } from "../../../database.ts";
import type { ToolAction } from "../../../types.ts";
import { isTransfer } from "../../shared/expert/recite.ts";
import { type Identity, needsWrite } from "../../shared/goal/goal.ts";
import type { RetailRequest, RetailTask } from "../goal/request.ts";
import { REQUEST_INTENTS, retailBenchGoal } from "../user/bench_goal.ts";

/** One request and how it is met. */
export interface PlanStep {
  readonly request: RetailRequest;
  /** The gold write; none for questions and refusals. */
  readonly write: ToolAction | undefined;
  /** What must be told. */
  readonly outputs: readonly string[];
}

/** How a task is met. */
export interface Plan {
  readonly identity: Identity;
  readonly steps: readonly PlanStep[];
  /**
   * Gold reads that a question needs, where the goal does not say what it is about (τ-bench); they are
   * made before it is answered.
   */
  readonly reads: readonly ToolAction[];
  /** The gold transfer to a person, where there is one. */
  readonly transfer: ToolAction | undefined;
}

/** The words of the user are known beforehand only to be recognised when they are said. */
export function planOf(task: RetailTask, database: Database): Plan {
  const goal = task.goal ?? retailBenchGoal(task, database).goal;
  const writes = task.actions.filter(({ name }) => name in REQUEST_INTENTS);
  const telling = goal.requests.filter((one) => !needsWrite(one));
  const steps = goal.requests.map((request): PlanStep => {
    if (needsWrite(request)) {
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
  };
}

function isLookup({ name }: ToolAction): boolean {
  return name.startsWith("get_") || name.startsWith("list_") ||
    name === "calculate";
}
