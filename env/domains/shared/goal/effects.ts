/** Helpers for checking a write's effects: they read rows as plain data, compare them, and describe what is wrong. */

import type { Database } from "../../../database.ts";
import { toPlain } from "../../../python/python_value.ts";

/** The states of the database before and after a call. */
export interface States {
  readonly before: Database;
  readonly after: Database;
}

/** A row as plain data. */
// deno-lint-ignore no-explicit-any -- rows were checked against their schema; a field that is missing is a finding
export type Row = any;

/** Returns a row as plain data, or `null` if it does not exist. */
export function readRow(database: Database, table: string, id: unknown): Row {
  return toPlain(database.get(table, String(id)) ?? null);
}

/** Checks whether two plain values have the same JSON, including the order of keys. */
export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Returns `null` if `holds` is true, and the description `wrong` otherwise. */
export function unless(holds: boolean, wrong: string): string | null {
  return holds ? null : wrong;
}

/**
 * Returns a description of the first field that changed although it is not one of `fields`, or `null` if there is none.
 */
export function otherChange(
  { was, is }: { readonly was: Row; readonly is: Row },
  fields: readonly string[],
): string | null {
  const wrong = Object.keys({ ...was, ...is }).find((key) =>
    !same(was[key], is[key]) && !fields.includes(key)
  );
  return unless(wrong === undefined, `the field "${wrong}" changes`);
}
