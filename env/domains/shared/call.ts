/** Creates tool calls and Python dicts from plain values. */

import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import type { ToolAction } from "../../types.ts";

/** Creates a tool call. */
export function call(
  name: string,
  fields: Readonly<Record<string, JsonValue>>,
): ToolAction {
  return { name, arguments: object(fields) };
}

/**
 * Creates a Python dict whose keys are in the order of `fields`. Keys must not be numeric ids, because JavaScript sorts
 * such keys.
 */
export function object(
  fields: Readonly<Record<string, JsonValue>>,
): JsonObject {
  return new Map(Object.entries(fields));
}
