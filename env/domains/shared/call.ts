/** Calls and rows by their fields. */

import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import type { ToolAction } from "../../types.ts";

/** A call of a tool by its arguments. */
export function call(
  name: string,
  fields: Readonly<Record<string, JsonValue>>,
): ToolAction {
  return { name, arguments: object(fields) };
}

/** Fields in their order. Not for ids as keys: JavaScript would sort them. */
export function object(
  fields: Readonly<Record<string, JsonValue>>,
): JsonObject {
  return new Map(Object.entries(fields));
}
