/** What a certificate is about, and what a part of it says where the task does not hold. */

import type { GoldStep } from "../../audit/gold_replay.ts";
import type { Database } from "../../database.ts";
import type { Domain, GoalsPart } from "../../domain.ts";
import type { Goal } from "../../domains/shared/goal/goal.ts";
import { printPythonJson } from "../../python/python_json.ts";
import type { Dataset, Task, ToolAction } from "../../types.ts";

/** A task that is looked at. */
export interface Subject {
  readonly dataset: Dataset;
  readonly task: Task<Goal>;
  readonly goal: Goal;
  readonly domain: Domain;
  readonly goals: GoalsPart;
  /** The gold, replayed. */
  readonly steps: readonly GoldStep[];
  /** Where the gold ends. */
  readonly gold: Database;
}

/** The parts of a certificate. */
export type PartName =
  | "gold"
  | "policy"
  | "solvable"
  | "unique"
  | "strict"
  | "expert";

/** Why a task is refused. */
export class Refusal {
  readonly part: PartName;
  /** The same for all tasks that are refused alike: draws are counted by it. */
  readonly reason: string;
  /** With the values that show it. */
  readonly evidence: string;

  constructor(
    part: PartName,
    { reason, evidence }: { reason: string; evidence: string },
  ) {
    this.part = part;
    this.reason = reason;
    this.evidence = evidence;
  }
}

/** A call in a line: its name and its arguments. */
export function textOf({ name, arguments: args }: ToolAction): string {
  return `${name} ${printPythonJson(args)}`;
}
