/**
 * Reads a row's fields with the types that its schema declares. A dataset's rows are checked when they are loaded, so a
 * wrong type is a bug in taulab, whereas a missing key may result from an agent's call.
 */

import { member } from "./python/python_object.ts";
import { isPythonNumber } from "./python/python_number.ts";
import type {
  JsonObject,
  JsonValue,
  PythonNumber,
} from "./python/python_value.ts";

/**
 * Returns the value of a string field.
 * @throws {ToolError} If the field is missing, with the message of Python's `KeyError`.
 */
export function textAt(object: JsonObject, key: string): string {
  const value = member(object, key);
  return typeof value === "string" ? value : wrong(key, "a string");
}

/**
 * Returns the value of a number field.
 * @throws {ToolError} If the field is missing, with the message of Python's `KeyError`.
 */
export function numberAt(object: JsonObject, key: string): PythonNumber {
  const value = member(object, key);
  return isPythonNumber(value) ? value : wrong(key, "a number");
}

/**
 * Returns the value of an object field.
 * @throws {ToolError} If the field is missing, with the message of Python's `KeyError`.
 */
export function objectAt(object: JsonObject, key: string): JsonObject {
  return asObject(member(object, key), key);
}

/**
 * Returns the value of a list field.
 * @throws {ToolError} If the field is missing, with the message of Python's `KeyError`.
 */
export function listAt(object: JsonObject, key: string): JsonValue[] {
  const value = member(object, key);
  return Array.isArray(value) ? value : wrong(key, "a list");
}

/**
 * Returns the value of a field that is a list of objects.
 * @throws {ToolError} If the field is missing, with the message of Python's `KeyError`.
 */
export function objectsAt(object: JsonObject, key: string): JsonObject[] {
  const list = listAt(object, key);
  for (const element of list) asObject(element, key);
  return list as JsonObject[];
}

function asObject(value: JsonValue, key: string): JsonObject {
  return value instanceof Map ? value : wrong(key, "an object");
}

function wrong(key: string, what: string): never {
  throw new TypeError(`The field "${key}" of a row is not ${what}`);
}
