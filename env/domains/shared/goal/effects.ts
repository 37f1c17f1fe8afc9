/** What checks of a write's effects are made of: rows as plain data, and words for what is wrong. */

import type { Database } from "../../../database.ts";
import { toPlain } from "../../../python/python_value.ts";

/** The states around a call. */
export interface States {
  readonly before: Database;
  readonly after: Database;
}

/** A row as plain data. */
// deno-lint-ignore no-explicit-any -- rows were checked against their schema; a field that is missing is a finding
export type Row = any;

/** A row as plain data; `null` where there is none. */
export function readRow(database: Database, table: string, id: unknown): Row {
  return toPlain(database.get(table, String(id)) ?? null);
}

/** Whether two plain values are the same. */
export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What is wrong, unless it holds. */
export function unless(holds: boolean, wrong: string): string | null {
  return holds ? null : wrong;
}

/** A field that has changed and may not; `null` where there is none. */
export function otherChange(
  { was, is }: { readonly was: Row; readonly is: Row },
  fields: readonly string[],
): string | null {
  const wrong = Object.keys({ ...was, ...is }).find((key) =>
    !same(was[key], is[key]) && !fields.includes(key)
  );
  return unless(wrong === undefined, `it changes ${wrong}`);
}
