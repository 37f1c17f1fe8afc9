/** Reading JSON of others liberally: what is not of the wanted type is as good as absent. */

import {
  type JsonObject,
  type JsonValue,
  printPythonJson,
} from "../../python/python_json.ts";
import { Float } from "../../python/python_value.ts";

/** The objects of a list; none where it is no list. */
export function objectsOf(value: JsonValue | undefined): JsonObject[] {
  return listOf(value).filter((item) => item instanceof Map);
}

/** A list; an empty one where it is none. */
export function listOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/** An object; an empty one where it is none. */
export function mapOf(value: JsonValue | undefined): JsonObject {
  return value instanceof Map ? value : new Map();
}

/** A finite number; `null` where it is none. */
export function numberOf(value: JsonValue | undefined): number | null {
  const number = value instanceof Float
    ? value.value
    : typeof value === "number" || typeof value === "bigint"
    ? Number(value)
    : NaN;
  return Number.isFinite(number) ? number : null;
}

/** A member that should be text: parts of a text are joined, what else it is becomes JSON. */
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
