/** What a tool of τ³ returns, and what is read of it. */

import { printPythonJson } from "../../../python/python_json.ts";
import { isPythonNumber } from "../../../python/python_number.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";

/** An object of a model: unlike those of a plain dict, its numbers are printed as numbers. */
export class ModelObject {
  constructor(readonly object: JsonObject) {}
}

/** Marks an object as one of a model. It has all declared fields, in the order of their declaration. */
export function model(object: JsonObject): ModelObject {
  return new ModelObject(object);
}

/** A text as it is, an object of a model, or a plain dict or list of any of these. */
export type ToolResult =
  | JsonValue
  | ModelObject
  | readonly ToolResult[]
  | ReadonlyMap<string, ToolResult>;

/**
 * What the caller reads: a text as it is, all else as Python's JSON. Numbers and bools that do not stand in an object
 * of a model become strings on the way, as they do in the original.
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
