/**
 * Reading a row's fields as what the schema says they are. A dataset's rows were checked when they were loaded,
 * so a wrong type here is a bug of ours, while a missing key may be the fate of an unlucky call.
 */

import { member } from "./python/python_object.ts";
import { isPythonNumber } from "./python/python_number.ts";
import type {
  JsonObject,
  JsonValue,
  PythonNumber,
} from "./python/python_value.ts";

/** A string field. @throws {ToolError} As `KeyError` where there is none. */
export function textAt(object: JsonObject, key: string): string {
  const value = member(object, key);
  return typeof value === "string" ? value : wrong(key, "a string");
}

/** A number field. @throws {ToolError} As `KeyError` where there is none. */
export function numberAt(object: JsonObject, key: string): PythonNumber {
  const value = member(object, key);
  return isPythonNumber(value) ? value : wrong(key, "a number");
}

/** An object field. @throws {ToolError} As `KeyError` where there is none. */
export function objectAt(object: JsonObject, key: string): JsonObject {
  return asObject(member(object, key), key);
}

/** A list field. @throws {ToolError} As `KeyError` where there is none. */
export function listAt(object: JsonObject, key: string): JsonValue[] {
  const value = member(object, key);
  return Array.isArray(value) ? value : wrong(key, "a list");
}

/** A field that is a list of objects. @throws {ToolError} As `KeyError` where there is none. */
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
