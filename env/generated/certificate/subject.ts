/** Defines the subject of a certificate, and the rejection that a failed check returns. */

import type { GoldStep } from "../../audit/gold_replay.ts";
import type { Database } from "../../database.ts";
import type { Domain, GoalsPart } from "../../domain.ts";
import type { Goal } from "../../domains/shared/goal/goal.ts";
import { printPythonJson } from "../../python/python_json.ts";
import type { Dataset, Task, ToolAction } from "../../types.ts";

/** A task to be certified. */
export interface Subject {
  readonly dataset: Dataset;
  readonly task: Task<Goal>;
  readonly goal: Goal;
  readonly domain: Domain;
  readonly goals: GoalsPart;
  /** The replayed gold actions. */
  readonly steps: readonly GoldStep[];
  /** The database state after the gold actions. */
  readonly gold: Database;
}

/** The names of a certificate's checks. */
export type PartName =
  | "gold"
  | "policy"
  | "solvable"
  | "unique"
  | "strict"
  | "expert";

/** The rejection of a task: the check that failed, and the reason. */
export class Rejection {
  readonly part: PartName;
  /** The reason, without values of the task, so that rejections can be counted by reason. */
  readonly reason: string;
  /** The values that prove the reason. */
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

/** Formats a call's name and arguments on one line. */
export function textOf({ name, arguments: args }: ToolAction): string {
  return `${name} ${printPythonJson(args)}`;
}
