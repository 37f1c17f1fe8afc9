/**
 * What a goal means in calls, domain by domain: the ways to meet a request as it is worded, what a call should do to
 * the rows, and which calls would be wrong. Written apart from the tools and from the generator, so that each checks
 * the others.
 */

import type { Database } from "../database.ts";
import type { Request, Task, ToolAction } from "../types.ts";

/** A customer's request and the world in which it is made. */
export interface Meant {
  readonly request: Request;
  /** The state in which the request is made. */
  readonly database: Database;
  readonly userId: string;
}

/** What a domain says of goals. */
export interface GoalDomain {
  /**
   * Every call that would meet a request, read off its words alone: each order that fits the description, each item,
   * variant and payment method that the words allow, each order of a list where the order is free. Whether policy and
   * tools allow the call is not asked. None for a question.
   */
  meanings(meant: Meant): readonly ToolAction[];
  /** What is wrong with what a call changed; `null` where it changed what it should and nothing else. */
  effectBreaks(
    action: ToolAction,
    states: { readonly before: Database; readonly after: Database },
  ): string | null;
  /** Reads that policy demands whatever their answers are needed for: who the customer is, the rows at hand. */
  duties(task: Task, database: Database): readonly ToolAction[];
  /**
   * Writes that an agent may make by mistake and that would be wrong: the gold writes with another target or another
   * detail, and further ones. At least one in all that the tools accept.
   */
  strays(task: Task, database: Database): readonly Stray[];
}

/** A write that would be wrong. */
export interface Stray {
  readonly action: ToolAction;
  /** The index of the gold action in whose place it would be made; left out where it would be one too many. */
  readonly insteadOf?: number;
}
