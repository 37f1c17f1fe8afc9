/** Hashes values as JSON in Python's format with sorted keys, as τ³-bench does for states. */

import { sha256, sortedKeys } from "../state_hash.ts";
import { printPythonJson, quoteAscii } from "./python_json.ts";
import { Float, type JsonObject, type JsonValue } from "./python_value.ts";

/** Formats a value as `json.dumps(value, sort_keys=True)` does, with keys sorted by code point at every level. */
export function sortedJson(value: JsonValue): string {
  if (value instanceof Map) return sortedObject(value);
  if (!Array.isArray(value)) return printPythonJson(value);
  let text = "[";
  for (let i = 0; i < value.length; i++) {
    text += (i === 0 ? "" : ", ") + sortedJson(value[i]!);
  }
  return text + "]";
}

/**
 * Returns the lowercase hex SHA-256 of {@linkcode sortedJson}. {@linkcode jsonStateHash} is faster for a whole
 * database.
 */
export function jsonHash(value: JsonValue): string {
  return sha256([sortedJson(value)]);
}

function sortedObject(object: JsonObject): string {
  let text = "{";
  for (const key of sortedKeys(object.keys())) {
    text += (text === "{" ? "" : ", ") + quoteAscii(key) + ": " +
      sortedJson(object.get(key)!);
  }
  return text + "}";
}

/** Checks whether two values have the same {@linkcode sortedJson} without formatting them. */
export function sameJson(a: JsonValue, b: JsonValue): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Float) {
    return b instanceof Float && Object.is(a.value, b.value);
  }
  if (Array.isArray(a)) return Array.isArray(b) && sameElements(a, b);
  return a instanceof Map && b instanceof Map && sameMembers(a, b);
}

function sameElements(a: JsonValue[], b: JsonValue[]): boolean {
  return a.length === b.length &&
    a.every((element, i) => sameJson(element, b[i]!));
}

function sameMembers(a: JsonObject, b: JsonObject): boolean {
  if (a.size !== b.size) return false;
  for (const [key, member] of a) {
    const other = b.get(key);
    if (other === undefined || !sameJson(member, other)) return false;
  }
  return true;
}
