/** What can be known: values of arguments, and texts that hold them. */

import type { JsonValue } from "../python/python_value.ts";
import type { ToolAction } from "../types.ts";

/** Parameters whose values are counts and sums that the agent works out. */
const WORKED_OUT = /(amount|baggages)$/;

/** Values that every user takes for granted; plain. */
export const GIVEN: ReadonlySet<string> = new Set([
  "usa",
  "united states",
  "",
]);

/** A value within an action's arguments. */
export interface Leaf {
  readonly path: string;
  readonly value: string;
}

/** The strings of an action's arguments that somebody must have told or shown. */
export function leaves({ name, arguments: args }: ToolAction): Leaf[] {
  if (name === "calculate") return terms(args);
  return [...args].flatMap(([key, value]) => leavesOf(key, value));
}

/** The numbers of a calculation. */
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

/** Lower case, punctuation as spaces, one space at a time. */
export function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}#_]+/gu, " ").trim();
}
