/** Implements Python's comparison and membership operators. */

import { compare, isPythonNumber } from "../../python/python_number.ts";
import { compareStrings } from "../../python/python_repr.ts";
import type { JsonValue, PythonNumber } from "../../python/python_value.ts";
import { typeError } from "./template_error.ts";
import type { Machine } from "./machine.ts";
import {
  DictView,
  iterate,
  Markup,
  plain,
  PyObject,
  Range,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** Checks whether a value is an `int`, a `float` or a `bool`. */
export function isNumber(value: Value): value is PythonNumber {
  return isPythonNumber(value as JsonValue);
}

/** Implements Python's `a == b`. */
export function equals(a: Value, b: Value, machine: Machine): boolean {
  if (a instanceof Markup || b instanceof Markup) {
    return equals(plain(a), plain(b), machine);
  }
  if (typeof a === "string" || typeof b === "string") return a === b;
  if (isNumber(a)) return isNumber(b) && compare(a, b) === 0;
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b, machine);
  if (a instanceof Map) return b instanceof Map && sameEntries(a, b, machine);
  if (a instanceof Range && b instanceof Range) {
    return sameItems(a.values(), b.values(), machine);
  }
  return a instanceof Undefined && b instanceof Undefined;
}

function sameItems(a: Value[], b: Value[], machine: Machine): boolean {
  if (a.length !== b.length || (a instanceof Tuple) !== (b instanceof Tuple)) {
    return false;
  }
  machine.spend(a.length);
  return a.every((item, i) => equals(item, b[i]!, machine));
}

function sameEntries(
  a: Map<Value, Value>,
  b: Map<Value, Value>,
  machine: Machine,
): boolean {
  if (a.size !== b.size) return false;
  machine.spend(a.size);
  for (const [key, value] of a) {
    const other = lookup(b, key, machine);
    if (other === undefined || !equals(value, other, machine)) return false;
  }
  return true;
}

/**
 * Implements Python's `dict.get(key)`, but returns `undefined` if the key does not exist.
 * @throws {JinjaError} If the key is not hashable.
 */
export function lookup(
  dict: ReadonlyMap<Value, Value>,
  key: Value,
  machine: Machine,
): Value | undefined {
  if (typeof key === "string") return dict.get(key);
  return dict.get(canonicalKey(dict, key, machine));
}

/**
 * Returns the key of the dict that equals `key`, or `key` itself if the dict has no equal key. Markup is converted to a
 * string.
 * @throws {JinjaError} If `key` is not hashable.
 */
export function canonicalKey(
  dict: ReadonlyMap<Value, Value>,
  key: Value,
  machine: Machine,
): Value {
  if (key instanceof Markup) return key.text;
  if (typeof key === "string" || dict.has(key)) return key;
  checkHashable(key);
  machine.spend(dict.size);
  for (const own of dict.keys()) if (equals(own, key, machine)) return own;
  return key;
}

/**
 * Checks that a key is hashable in Python.
 * @throws {JinjaError} If the key is not hashable.
 */
function checkHashable(key: Value): void {
  if (key instanceof Tuple) return key.forEach(checkHashable);
  if (Array.isArray(key) || key instanceof Map) {
    throw typeError(`unhashable type: '${typeName(key)}'`);
  }
}

/**
 * Compares two values. Returns a negative number if `a` is less than `b`, 0 if they are equal, a positive number if `a`
 * is greater, and NaN if the comparison involves a NaN.
 * @throws {JinjaError} If Python cannot order the values.
 */
export function order(
  a: Value,
  b: Value,
  { operator = "<", machine }: {
    readonly operator?: string;
    readonly machine: Machine;
  },
): number {
  if (typeof a === "string" && typeof b === "string") {
    return compareStrings(a, b);
  }
  if (isNumber(a) && isNumber(b)) return compare(a, b);
  if (a instanceof Markup || b instanceof Markup) {
    return order(plain(a), plain(b), { operator, machine });
  }
  for (const value of [a, b]) {
    if (value instanceof Undefined) throw value.error();
  }
  if (
    Array.isArray(a) && Array.isArray(b) &&
    (a instanceof Tuple) === (b instanceof Tuple)
  ) {
    machine.spend(Math.min(a.length, b.length));
    const at = a.findIndex((item, i) =>
      i >= b.length || !equals(item, b[i]!, machine)
    );
    return at < 0 || at >= b.length
      ? a.length - b.length
      : order(a[at]!, b[at]!, { operator, machine });
  }
  throw typeError(
    `'${operator}' not supported between instances of '${typeName(a)}' and '${
      typeName(b)
    }'`,
  );
}

/**
 * Implements Python's `item in container`.
 * @throws {JinjaError} If the container does not support membership tests.
 */
export function contains(
  container: Value,
  item: Value,
  machine: Machine,
): boolean {
  if (container instanceof Markup || item instanceof Markup) {
    return contains(plain(container), plain(item), machine);
  }
  if (typeof container === "string") {
    if (typeof item === "string") {
      machine.spendText(container);
      return container.includes(item);
    }
    throw typeError(
      `'in <string>' requires string as left operand, not ${typeName(item)}`,
    );
  }
  if (container instanceof Map) {
    return lookup(container, item, machine) !== undefined;
  }
  if (
    container instanceof PyObject && container.iterate() === undefined
  ) {
    throw typeError(
      `argument of type '${typeName(container)}' is not iterable`,
    );
  }
  const items = container instanceof DictView
    ? container.values()
    : Array.isArray(container)
    ? container
    : null;
  if (items !== null) {
    machine.spend(items.length);
    return items.some((one) => same(one, item, machine));
  }
  if (isNumber(container) || container === null) {
    throw typeError(
      `argument of type '${typeName(container)}' is not iterable`,
    );
  }
  const iterator = iterate(container);
  for (let next = iterator.next(); !next.done; next = iterator.next()) {
    machine.spend(1);
    if (same(next.value, item, machine)) return true;
  }
  return false;
}

/** Checks whether two values are identical or equal, as membership tests require. */
function same(a: Value, b: Value, machine: Machine): boolean {
  return Object.is(a, b) || equals(a, b, machine);
}
