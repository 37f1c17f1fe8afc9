/** Looks up the rows that a call refers to, and reports missing rows with τ-bench's errors. */

import type { Database } from "../../database.ts";
import { ToolError } from "../../errors.ts";
import { asKey, keyError } from "../../python/python_object.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";

/**
 * Returns `id` if there is a row with this id.
 * @throws {ToolError} If there is no row with this id: `<noun> not found`.
 */
export function findId(
  database: Database,
  { table, noun }: { table: string; noun: string },
  id: JsonValue,
): string {
  const key = asKey(id);
  if (key === undefined || !database.has(table, key)) {
    throw new ToolError(`${noun} not found`);
  }
  return key;
}

/**
 * Returns an existing row for writing.
 * @throws {ToolError} If there is no row with this id, with the message of Python's `KeyError`.
 */
export function editRow(
  database: Database,
  table: string,
  id: string,
): JsonObject {
  const row = database.edit(table, id);
  if (row === undefined) throw keyError(id);
  return row;
}

/**
 * Returns a row as Python's `json.dumps` prints it.
 * @throws {ToolError} If there is no row with this id: `<noun> not found`.
 */
export function printFound(
  database: Database,
  kind: { table: string; noun: string },
  id: JsonValue,
): string {
  const key = findId(database, kind, id);
  return database.print(kind.table, key) ?? "null";
}
