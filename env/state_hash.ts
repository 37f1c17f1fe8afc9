/** Computes τ-bench's hash of a state: the SHA-256 of its Python text as nested tuples. */

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
 * Returns the Python text of a value as nested tuples: an object becomes its pairs sorted by key, an array its
 * elements. Two values have the same text if and only if τ-bench's hash does not distinguish them.
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

/** Checks whether two values have the same {@linkcode canonicalText}, mostly without building the texts. */
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

/** Returns the Python text of a tuple, given the texts of its elements. */
export function tupleText(elements: readonly string[]): string {
  return elements.length === 1
    ? `(${elements[0]},)`
    : `(${elements.join(", ")})`;
}

/** Returns `('key', value)`, given the text of the value. */
export function pairText(key: string, valueText: string): string {
  return `(${stringRepr(key)}, ${valueText})`;
}

/** Computes the lowercase hex SHA-256 of the concatenated parts, with strings encoded as UTF-8. */
export function sha256(parts: Iterable<string | Uint8Array>): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** Computes τ-bench's hash of any value; for a whole database, {@linkcode Database.hash} is faster. */
export function stateHash(value: JsonValue): string {
  return sha256([canonicalText(value)]);
}

/** Sorts keys in Python's order. */
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
