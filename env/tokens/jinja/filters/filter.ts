/** What a filter is: a method of any value. */

import type { Method } from "../arguments.ts";
import { getItem } from "../attributes.ts";
import type { Machine } from "../machine.ts";
import { plain, Undefined, type Value } from "../values.ts";

/** A filter; what stands before the bar is its `self`. */
export type Filter = Method<Value>;

/** Reads `"a.b.0"` off a value. */
export function attributeGetter(
  path: Value,
  { machine, otherwise }: {
    readonly machine: Machine;
    /** What stands for what is undefined. Default: nothing. */
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

/** Strings in lower case, where a filter ignores case. */
export function folded(value: Value, caseSensitive: boolean): Value {
  const text = plain(value);
  return typeof text === "string" && !caseSensitive
    ? text.toLowerCase()
    : value;
}
