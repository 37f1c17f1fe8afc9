/** Reads the arguments of functions that only tasks can call. */

import { ToolError } from "../../../errors.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";

/**
 * Returns a required argument.
 * @throws {ToolError} If the argument is missing.
 */
export function argument(args: JsonObject, name: string): JsonValue {
  const value = args.get(name);
  if (value !== undefined) return value;
  throw new ToolError(`missing 1 required positional argument: '${name}'`);
}

/** Returns an optional argument, or `null` if it is missing. */
export function given(args: JsonObject, name: string): JsonValue {
  return args.get(name) ?? null;
}
