/** τ-bench's hash of a state: the state as nested tuples, their Python text, and its SHA-256. */

import { createHash } from "node:crypto";
import {
  compareStrings,
  pythonRepr,
  stringRepr,
} from "./python/python_repr.ts";
import {
  Float,
  type JsonObject,
  type JsonValue,
} from "./python/python_value.ts";

/**
 * The Python text of a value as nested tuples: an object is its pairs sorted by key, an array its elements. Two
 * values have the same text exactly where τ-bench's hash cannot tell them apart.
 */
export function canonicalText(value: JsonValue): string {
  if (typeof value === "string") return stringRepr(value);
  if (typeof value !== "object" || value === null || value instanceof Float) {
    return pythonRepr(value);
  }
  return value instanceof Map
    ? objectText(value)
    : tupleText(value.map(canonicalText));
}

/** Whether two values have the same {@linkcode canonicalText}; seldom has to make the texts. */
export function sameCanonical(a: JsonValue, b: JsonValue): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Float) {
    return b instanceof Float && Object.is(a.value, b.value);
  }
  if (Array.isArray(a) && Array.isArray(b)) return sameElements(a, b);
  if (a instanceof Map && b instanceof Map) return sameMembers(a, b);
  // An object and the array of its pairs are the same tuple.
  const areTuples = isContainer(a) && isContainer(b);
  return areTuples && canonicalText(a) === canonicalText(b);
}

/** The text of a tuple of which each element's text is given. */
export function tupleText(elements: readonly string[]): string {
  return elements.length === 1
    ? `(${elements[0]},)`
    : `(${elements.join(", ")})`;
}

/** `('key', value)`, where the value's text is given. */
export function pairText(key: string, valueText: string): string {
  return `(${stringRepr(key)}, ${valueText})`;
}

/** Lowercase hex SHA-256 of a text in UTF-8, or of its parts one after the other. */
export function sha256(parts: Iterable<string | Uint8Array>): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** The hash of any value; of a whole database, {@linkcode Database.hash} is faster. */
export function stateHash(value: JsonValue): string {
  return sha256([canonicalText(value)]);
}

/** Keys in Python's order. */
export function sortedKeys(keys: Iterable<string>): string[] {
  return [...keys].sort(compareStrings);
}

function objectText(value: JsonObject): string {
  return tupleText(
    sortedKeys(value.keys()).map((key) =>
      pairText(key, canonicalText(value.get(key) ?? null))
    ),
  );
}

function isContainer(value: JsonValue): boolean {
  return Array.isArray(value) || value instanceof Map;
}

function sameElements(a: JsonValue[], b: JsonValue[]): boolean {
  return a.length === b.length &&
    a.every((element, i) => sameCanonical(element, b[i] ?? null));
}

function sameMembers(a: JsonObject, b: JsonObject): boolean {
  if (a.size !== b.size) return false;
  for (const [key, member] of a) {
    const other = b.get(key);
    if (other === undefined || !sameCanonical(member, other)) return false;
  }
  return true;
}
