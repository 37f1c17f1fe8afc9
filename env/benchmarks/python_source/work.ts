/** Limits the work spent on reading a Python file, in proportion to its length. */

import type { JsonValue } from "../../python/python_value.ts";
import type { PythonSource } from "./syntax_tree.ts";

/**
 * The number of work units that a file may use per character of its text. Each character is read several times, once
 * per expression that contains it.
 */
const WORK_PER_CHARACTER = 50;
/** The number of work units that every file may use in addition, regardless of its length. */
const MIN_WORK = 100_000;

const spent = new WeakMap<PythonSource, number>();

/**
 * Adds to the work spent on a file.
 * @returns Whether the work is still within the limit.
 */
export function spend(source: PythonSource, work: number): boolean {
  const sum = (spent.get(source) ?? 0) + work;
  spent.set(source, sum);
  return sum <= MIN_WORK + WORK_PER_CHARACTER * source.text.length;
}

/**
 * The size of a value: its approximate number of characters when written out (`weight`), and its nesting depth. Parts
 * that occur more than once count each time.
 */
export interface Extent {
  readonly weight: number;
  readonly depth: number;
}

const extents = new WeakMap<object, Extent>();

/** Computes the extent of a value. The result is cached. */
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
