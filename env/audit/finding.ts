/** What an audit finds in a set of tasks. */

import type { Dataset, Split, Task, ToolAction } from "../types.ts";

/** What is looked for. */
export type CheckName =
  | "gold_error"
  | "idle"
  | "forbidden"
  | "unknowable"
  | "loose_output"
  | "shared_rows"
  | "duplicate"
  | RulesCheckName;

/** What a benchmark's own rules look for, see `ConversationRules.faults()`. */
export type RulesCheckName =
  | "failing_gold"
  | "hidden_state"
  | "spare_step"
  | "uncounted"
  | "tool_fault"
  | "missing_tool"
  | "noted";

/** Something that a person should look at. */
export interface Finding {
  readonly check: CheckName;
  readonly taskId: string;
  readonly split: Split;
  /** What is wrong, in a sentence without a full stop. */
  readonly reason: string;
  /** The values that show it, so that a person can check. */
  readonly evidence: string;
  /** Whether the task is flagged: its reward does not mean what it says. */
  readonly exclude: boolean;
}

/** What a check looks at: one task, or all tasks of all splits. */
export interface Audited {
  readonly dataset: Dataset;
  readonly tasks: readonly Task[];
}

/** A check of one task. */
export type TaskCheck = (task: Task, dataset: Dataset) => readonly Finding[];

/** A finding of a task. */
export function finding(
  task: Task,
  about: Pick<Finding, "check" | "reason" | "evidence" | "exclude">,
): Finding {
  return { taskId: task.id, split: task.split, ...about };
}

/** Whether an action is one of those that may change something, by its name. */
export function isWrite({ name }: ToolAction): boolean {
  return !/^(get|find|list|search|calculate|think|transfer)/.test(name);
}
