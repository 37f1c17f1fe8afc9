/** Defines the findings of an audit and the checks that produce them. */

import type { Dataset, Split, Task, ToolAction } from "../types.ts";

/** The names of the checks. */
export type CheckName =
  | "gold_error"
  | "idle"
  | "forbidden"
  | "unknowable"
  | "loose_output"
  | "shared_rows"
  | "duplicate"
  | RulesCheckName;

/** The names of the checks that a benchmark's own rules perform; see `ConversationRules.faults()`. */
export type RulesCheckName =
  | "failing_gold"
  | "hidden_state"
  | "spare_step"
  | "uncounted"
  | "tool_fault"
  | "missing_tool"
  | "noted";

/** A problem with a task that a person should review. */
export interface Finding {
  readonly check: CheckName;
  readonly taskId: string;
  readonly split: Split;
  /** A description of the problem, as a clause without a full stop. */
  readonly reason: string;
  /** The relevant values, so that a person can verify the finding. */
  readonly evidence: string;
  /** Whether to exclude the task, because its reward is not meaningful or it repeats a task of another split. */
  readonly exclude: boolean;
}

/** The input of a check that compares tasks: all tasks of the audited splits, and their dataset. */
export interface AuditInput {
  readonly dataset: Dataset;
  readonly tasks: readonly Task[];
}

/** A function that checks one task and returns its findings. */
export type TaskCheck = (task: Task, dataset: Dataset) => readonly Finding[];

/** Creates a finding about a task. */
export function finding(
  task: Task,
  about: Pick<Finding, "check" | "reason" | "evidence" | "exclude">,
): Finding {
  return { taskId: task.id, split: task.split, ...about };
}

/** Checks whether an action may change something, judging by its name. */
export function isWrite({ name }: ToolAction): boolean {
  return !/^(get|find|list|search|calculate|think|transfer)/.test(name);
}
