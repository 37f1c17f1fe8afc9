/** Finding the rows that a call names, with τ-bench's words where there are none. */

import type { Database } from "../../database.ts";
import { ToolError } from "../../errors.ts";
import { asKey, keyError } from "../../python/python_object.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";

/** The id of a row that there is. @throws {ToolError} `<noun> not found`. */
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

/** A row that there is, to be written to. */
export function editRow(
  database: Database,
  table: string,
  id: string,
): JsonObject {
  const row = database.edit(table, id);
  if (row === undefined) throw keyError(id);
  return row;
}

/** The row that a call names, as Python JSON. @throws {ToolError} `<noun> not found`. */
export function printFound(
  database: Database,
  kind: { table: string; noun: string },
  id: JsonValue,
): string {
  const key = findId(database, kind, id);
  return database.print(kind.table, key) ?? "null";
}
