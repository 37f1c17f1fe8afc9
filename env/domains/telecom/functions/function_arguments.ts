/** Reads the arguments of the functions that only tasks call. */

import { ToolError } from "../../../errors.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";

/**
 * Returns a required argument.
 * @throws {ToolError} If it is missing.
 */
export function argument(args: JsonObject, name: string): JsonValue {
  const value = args.get(name);
  if (value !== undefined) return value;
  throw new ToolError(`missing 1 required positional argument: '${name}'`);
}

/** Returns an optional argument; `null` if it is missing. */
export function given(args: JsonObject, name: string): JsonValue {
  return args.get(name) ?? null;
}
