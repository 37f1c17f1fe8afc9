/** What reading a file may come to: work and values in proportion to its text. */

import type { JsonValue } from "../../python/python_value.ts";
import type { PythonSource } from "./syntax_tree.ts";

/** Each character of a file is looked at some times, as a part of what it is in. */
const WORK_A_CHARACTER = 50;
const LEAST_WORK = 100_000;

const spent = new WeakMap<PythonSource, number>();

/** Counts work on a file. @returns Whether it may go on. */
export function spend(source: PythonSource, work: number): boolean {
  const sum = (spent.get(source) ?? 0) + work;
  spent.set(source, sum);
  return sum <= LEAST_WORK + WORK_A_CHARACTER * source.text.length;
}

/** How much a value has in it, written out (parts that it shares count each time), and how deep it nests. */
export interface Extent {
  readonly weight: number;
  readonly depth: number;
}

const extents = new WeakMap<object, Extent>();

/** The extent of a value; found once. */
export function extentOf(value: JsonValue): Extent {
  if (typeof value === "string") return { weight: value.length, depth: 0 };
  if (!Array.isArray(value) && !(value instanceof Map)) {
    return { weight: 1, depth: 0 };
  }
  const known = extents.get(value);
  if (known !== undefined) return known;
  const parts = Array.isArray(value)
    ? value
    : [...value.keys(), ...value.values()];
  let [weight, depth] = [1, 0];
  for (const part of parts) {
    const extent = extentOf(part);
    weight += extent.weight;
    depth = Math.max(depth, extent.depth);
  }
  const extent = { weight, depth: depth + 1 };
  extents.set(value, extent);
  return extent;
}
