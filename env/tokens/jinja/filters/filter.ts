/** Defines types and helper functions for filters. */

import type { Method } from "../arguments.ts";
import { getItem } from "../attributes.ts";
import type { Machine } from "../machine.ts";
import { plain, Undefined, type Value } from "../values.ts";

/** A filter. The value before the `|` is passed as `self`. */
export type Filter = Method<Value>;

/**
 * Returns a function that reads an attribute path such as `"a.b.0"` from a value. For the path `null`, the function
 * returns the value itself.
 */
export function attributeGetter(
  path: Value,
  { machine, otherwise }: {
    readonly machine: Machine;
    /** The value that replaces an undefined value at each step of the path. Default: undefined values are kept. */
    readonly otherwise?: Value | undefined;
  },
): (value: Value) => Value {
  const keys = path === null
    ? []
    : typeof path === "string"
    ? path.split(".").map((part) => /^\d+$/.test(part) ? Number(part) : part)
    : [path];
  return (value) => {
    let found = value;
    for (const key of keys) {
      found = getItem(found, key, machine);
      if (found instanceof Undefined && otherwise != null) found = otherwise;
    }
    return found;
  };
}

/**
 * Prepares a value for comparison. Unless the comparison is case-sensitive, a string is converted to lower case. All
 * other values are returned unchanged.
 */
export function folded(value: Value, caseSensitive: boolean): Value {
  const text = plain(value);
  return typeof text === "string" && !caseSensitive
    ? text.toLowerCase()
    : value;
}
