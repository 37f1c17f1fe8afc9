/**
 * Collects the values in a call's arguments and normalizes text, so that audits can check which values an agent can
 * know.
 */

import type { JsonValue } from "../python/python_value.ts";
import type { ToolAction } from "../types.ts";

/** Matches the names of parameters for counts and sums, whose values the agent computes. */
const WORKED_OUT = /(amount|baggages)$/;

/** Values that an agent knows without a source, normalized by {@linkcode plain}. */
export const GIVEN: ReadonlySet<string> = new Set([
  "usa",
  "united states",
  "",
]);

/** A value in an action's arguments as text, with its path. */
export interface Leaf {
  readonly path: string;
  readonly value: string;
}

/**
 * Returns the values in an action's arguments that the agent must have been told or shown: the strings, except those
 * that the agent computes, or, for a `calculate` call, the numbers in the expression.
 */
export function leaves({ name, arguments: args }: ToolAction): Leaf[] {
  if (name === "calculate") return terms(args);
  return [...args].flatMap(([key, value]) => leavesOf(key, value));
}

/** Returns the numbers in the expression of a `calculate` call. */
function terms(args: ToolAction["arguments"]): Leaf[] {
  const numbers = String(args.get("expression") ?? "").match(/[\d.]+/g) ?? [];
  return numbers.map((value, i) => ({ path: `expression[${i}]`, value }));
}

function leavesOf(path: string, value: JsonValue): Leaf[] {
  if (WORKED_OUT.test(path)) return [];
  if (Array.isArray(value)) {
    return value.flatMap((one, i) => leavesOf(`${path}[${i}]`, one));
  }
  if (value instanceof Map) {
    return [...value].flatMap(([key, one]) => leavesOf(`${path}.${key}`, one));
  }
  return typeof value === "string" ? [{ path, value }] : [];
}

/**
 * Normalizes text: converts it to lowercase, replaces punctuation other than `#` and `_` with spaces, collapses spaces,
 * and trims the ends.
 */
export function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}#_]+/gu, " ").trim();
}
