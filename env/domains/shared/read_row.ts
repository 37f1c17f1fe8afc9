/**
 * Reads rows that may be missing. A τ-bench task can refer to an order or an item that is not in the database; the
 * fields of a missing row are read as empty.
 */

import {
  Float,
  type JsonObject,
  type JsonValue,
} from "../../python/python_value.ts";

/** Reads a string field; empty if there is none. */
export function text(row: JsonValue | undefined, field: string): string {
  const value = member(row, field);
  return typeof value === "string" ? value : "";
}

/** Reads a number field; 0 if there is none. */
export function numberIn(row: JsonValue | undefined, field: string): number {
  const value = member(row, field);
  if (value instanceof Float) return value.value;
  return typeof value === "number" ? value : 0;
}

/** Reads the strings in a list field. */
export function texts(row: JsonValue | undefined, field: string): string[] {
  const value = member(row, field);
  return Array.isArray(value)
    ? value.filter((one) => typeof one === "string")
    : [];
}

/** Reads the objects in a list field, or among the values of an object field. */
export function rows(row: JsonValue | undefined, field: string): JsonObject[] {
  const value = member(row, field);
  const all = value instanceof Map ? [...value.values()] : value;
  return Array.isArray(all) ? all.filter((one) => one instanceof Map) : [];
}

/** Reads an object field; empty if there is none. */
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
