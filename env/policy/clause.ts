/**
 * A policy as clauses that a program can check, written apart from the tools: the tools accept some calls that
 * policy forbids. A clause looks at a call and at the state before it.
 */

import type { Database } from "../database.ts";
import { type JsonObject, toPlain } from "../python/python_json.ts";
import type { ToolAction } from "../types.ts";

/** A call that policy is asked about. */
export interface PolicyCall {
  readonly tool: string;
  /** Its arguments as plain JSON. */
  // deno-lint-ignore no-explicit-any -- the tools take any value; a clause that reads a wrong one fails, and that is a finding
  readonly args: any;
  /** The user whom the agent serves. */
  readonly userId: string;
  /** A row before the call, as plain JSON; `undefined` where there is none. */
  // deno-lint-ignore no-explicit-any -- rows were checked against their schema when they were loaded
  row(table: string, id: unknown): any;
  /** Ids of a table. */
  ids(table: string): Iterable<string>;
  /** The calls before this one that changed something. */
  readonly earlier: readonly ToolAction[];
}

/** A sentence of a policy. */
export interface Clause {
  /** Stable, for tables of coverage: `cancel.status`. */
  readonly id: string;
  /** The tools that it binds. */
  readonly tools: readonly string[];
  /** What it says, in our own words. */
  readonly text: string;
  /** Why the call breaks it; `null` where it does not. */
  breaks(call: PolicyCall): string | null;
}

/** A clause that a call breaks. */
export interface Violation {
  readonly clause: string;
  readonly text: string;
  /** With the values that show it. */
  readonly evidence: string;
}

/** What {@linkcode violations} looks at. */
export interface Situation {
  readonly action: ToolAction;
  /** The state before the call. */
  readonly database: Database;
  readonly userId: string;
  readonly earlier?: readonly ToolAction[];
}

/** The clauses that a call breaks. A clause that cannot be read off the call, its rows missing say, is broken. */
export function violations(
  clauses: readonly Clause[],
  { action, database, userId, earlier = [] }: Situation,
): Violation[] {
  const state = database.fork(); // seals the rows, so that what is made of them can be kept
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
