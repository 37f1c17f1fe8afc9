/** Results of τ³-bench's tools, and their conversion to text. */

import { printPythonJson } from "../../../python/python_json.ts";
import { isPythonNumber } from "../../../python/python_number.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";

/**
 * An instance of a pydantic model. Its numbers are printed as numbers, whereas numbers in a plain dict are printed as
 * strings.
 */
export class ModelObject {
  constructor(readonly object: JsonObject) {}
}

/** Marks an object as a model instance. The object must have all declared fields, in declaration order. */
export function model(object: JsonObject): ModelObject {
  return new ModelObject(object);
}

/** The result of a tool: a plain value, a model instance, or a dict or list of these. */
export type ToolResult =
  | JsonValue
  | ModelObject
  | readonly ToolResult[]
  | ReadonlyMap<string, ToolResult>;

/**
 * Converts a result to the text that the caller reads. A string is returned unchanged; any other result is printed as
 * JSON in Python's format. As in the original, numbers and booleans outside model instances are printed as strings.
 */
export function resultText(result: ToolResult): string {
  return typeof result === "string" ? result : printPythonJson(plain(result));
}

function plain(result: ToolResult): JsonValue {
  if (result instanceof ModelObject) return result.object;
  if (result instanceof Map) {
    return new Map(Array.from(result, ([key, value]) => [key, plain(value)]));
  }
  if (Array.isArray(result)) return result.map(plain);
  const value = result as JsonValue;
  return isPythonNumber(value) ? pythonStr(value) : value;
}
