/** The arguments of functions that only tasks call. */

import { ToolError } from "../../../errors.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";

/** An argument that must be there. @throws {ToolError} If it is not. */
export function argument(args: JsonObject, name: string): JsonValue {
  const value = args.get(name);
  if (value !== undefined) return value;
  throw new ToolError(`missing 1 required positional argument: '${name}'`);
}

/** An argument that may be left out; null where it is. */
export function given(args: JsonObject, name: string): JsonValue {
  return args.get(name) ?? null;
}
