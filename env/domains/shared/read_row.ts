/**
 * Reads fields of rows that may be missing. A τ-bench task can refer to an order or an item that is not in the
 * database; the fields of a missing row are read as empty.
 */

import {
  Float,
  type JsonObject,
  type JsonValue,
} from "../../python/python_value.ts";

/** Returns a field's string, or an empty string if the field is missing or not a string. */
export function text(row: JsonValue | undefined, field: string): string {
  const value = member(row, field);
  return typeof value === "string" ? value : "";
}

/**
 * Returns a field's number, or 0 if the field is missing, is not a number, or is an integer that JavaScript cannot
 * represent exactly as a number.
 */
export function numberIn(row: JsonValue | undefined, field: string): number {
  const value = member(row, field);
  if (value instanceof Float) return value.value;
  return typeof value === "number" ? value : 0;
}

/** Returns the strings in a list field. The result is empty if the field is missing or not a list. */
export function texts(row: JsonValue | undefined, field: string): string[] {
  const value = member(row, field);
  return Array.isArray(value)
    ? value.filter((one) => typeof one === "string")
    : [];
}

/**
 * Returns the objects in a list field, or among the values of an object field. The result is empty if there are none.
 */
export function rows(row: JsonValue | undefined, field: string): JsonObject[] {
  const value = member(row, field);
  const all = value instanceof Map ? [...value.values()] : value;
  return Array.isArray(all) ? all.filter((one) => one instanceof Map) : [];
}

/** Returns a field's object, or `undefined` if the field is missing or not an object. */
export function row(
  parent: JsonValue | undefined,
  field: string,
): JsonObject | undefined {
  const value = member(parent, field);
  return value instanceof Map ? value : undefined;
}

function member(parent: JsonValue | undefined, field: string) {
  return parent instanceof Map ? parent.get(field) : undefined;
}
