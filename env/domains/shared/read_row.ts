/**
 * Reading rows that may not be there: a τ-bench task may name an order or an item that the database
 * lacks, and what it says of it is then simply empty.
 */

import {
  Float,
  type JsonObject,
  type JsonValue,
} from "../../python/python_value.ts";

/** A string field; empty where there is none. */
export function text(row: JsonValue | undefined, field: string): string {
  const value = member(row, field);
  return typeof value === "string" ? value : "";
}

/** A number field; 0 where there is none. */
export function numberIn(row: JsonValue | undefined, field: string): number {
  const value = member(row, field);
  if (value instanceof Float) return value.value;
  return typeof value === "number" ? value : 0;
}

/** The strings of a list field. */
export function texts(row: JsonValue | undefined, field: string): string[] {
  const value = member(row, field);
  return Array.isArray(value)
    ? value.filter((one) => typeof one === "string")
    : [];
}

/** The objects of a list field, or of the values of an object field. */
export function rows(row: JsonValue | undefined, field: string): JsonObject[] {
  const value = member(row, field);
  const all = value instanceof Map ? [...value.values()] : value;
  return Array.isArray(all) ? all.filter((one) => one instanceof Map) : [];
}

/** An object field. */
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
