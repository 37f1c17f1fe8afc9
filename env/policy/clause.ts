/**
 * Expresses a policy as clauses that a program can check. The clauses are independent of the tools, which accept some
 * calls that the policy forbids. A clause checks a call against the state before the call.
 */

import type { Database } from "../database.ts";
import { type JsonObject, toPlain } from "../python/python_json.ts";
import type { ToolAction } from "../types.ts";

/** A call to check against the policy. */
export interface PolicyCall {
  readonly tool: string;
  /** The call's arguments as plain JSON. */
  // deno-lint-ignore no-explicit-any -- tools accept any value; a clause that throws on a wrong one reports a violation
  readonly args: any;
  /** The user whom the agent serves. */
  readonly userId: string;
  /** Returns a row as it was before the call, as plain JSON, or `undefined` if there is none. */
  // deno-lint-ignore no-explicit-any -- rows are checked against their schema when they are loaded
  row(table: string, id: unknown): any;
  /** Returns the ids of a table's rows. */
  ids(table: string): Iterable<string>;
  /** The earlier calls in the episode that changed the database. */
  readonly earlier: readonly ToolAction[];
}

/** One rule of a policy. */
export interface Clause {
  /** A stable id for coverage tables, such as `cancel.status`. */
  readonly id: string;
  /** The tools to which the rule applies. */
  readonly tools: readonly string[];
  /** A paraphrase of the rule. */
  readonly text: string;
  /** Returns why the call breaks the rule, or `null` if it does not. */
  breaks(call: PolicyCall): string | null;
}

/** A clause that a call breaks. */
export interface Violation {
  readonly clause: string;
  readonly text: string;
  /** Why the call breaks the clause, including the relevant values. */
  readonly evidence: string;
}

/** A call and the state in which it is made, for {@linkcode violations}. */
export interface Situation {
  readonly action: ToolAction;
  /** The state before the call. */
  readonly database: Database;
  readonly userId: string;
  readonly earlier?: readonly ToolAction[];
}

/**
 * Returns the clauses that a call breaks. A clause that cannot be checked, for example because a row is missing, counts
 * as broken.
 */
export function violations(
  clauses: readonly Clause[],
  { action, database, userId, earlier = [] }: Situation,
): Violation[] {
  const state = database.fork(); // seals the rows, so that values derived from them can be cached
  const call: PolicyCall = {
    tool: action.name,
    args: toPlain(action.arguments),
    userId,
    row: (table, id) => plainRow(state, table, String(id)),
    ids: (table) => state.ids(table),
    earlier,
  };
  return clauses.filter(({ tools }) => tools.includes(action.name)).flatMap(
    (clause) => {
      const evidence = evidenceOf(clause, call);
      const { id, text } = clause;
      return evidence === null ? [] : [{ clause: id, text, evidence }];
    },
  );
}

function evidenceOf(clause: Clause, call: PolicyCall): string | null {
  try {
    return clause.breaks(call);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return `cannot be checked: ${error.message}`;
  }
}

function plainRow(database: Database, table: string, id: string): unknown {
  const row = database.get(table, id);
  if (row === undefined) return undefined;
  const known = plainRows.get(row);
  if (known !== undefined) return known;
  const plain = toPlain(row);
  plainRows.set(row, plain);
  return plain;
}

const plainRows = new WeakMap<JsonObject, unknown>();
