/** Leniently reads JSON written by other programs: a value of the wrong type is treated as absent. */

import {
  type JsonObject,
  type JsonValue,
  printPythonJson,
} from "../../python/python_json.ts";
import { Float } from "../../python/python_value.ts";

/** Returns the objects in a list, or an empty list if the value is not a list. */
export function objectsOf(value: JsonValue | undefined): JsonObject[] {
  return listOf(value).filter((item) => item instanceof Map);
}

/** Returns a value as a list, or an empty list if the value is not a list. */
export function listOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/** Returns a value as an object, or an empty object if the value is not an object. */
export function mapOf(value: JsonValue | undefined): JsonObject {
  return value instanceof Map ? value : new Map();
}

/** Returns a value as a number, or `null` if the value is not a finite number. */
export function numberOf(value: JsonValue | undefined): number | null {
  const number = value instanceof Float
    ? value.value
    : typeof value === "number" || typeof value === "bigint"
    ? Number(value)
    : NaN;
  return Number.isFinite(number) ? number : null;
}

/**
 * Returns an object's member as text: text parts are joined, other values become JSON, and a member that is absent or
 * `null` becomes the empty string.
 */
export function textOf(object: JsonObject, key: string): string {
  const value = object.get(key);
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  const parts = objectsOf(value).map((part) => part.get("text"));
  return Array.isArray(value) && parts.length === value.length &&
      parts.every((part) => typeof part === "string")
    ? parts.join("")
    : printPythonJson(value);
}
