/**
 * What Python's operators do to values that a caller chose freely: membership, length, iteration, equality,
 * and the errors they raise. In τ-bench no argument's type is checked, so these decide what an odd one does.
 */

import { ToolError } from "../errors.ts";
import { add, compare, isFloat, isPythonNumber } from "./python_number.ts";
import { compareStrings, pythonRepr, stringRepr } from "./python_repr.ts";
import {
  Float,
  type JsonObject,
  type JsonValue,
  type PythonNumber,
} from "./python_value.ts";

/** Name of the value's type, as Python's errors give it. */
export function typeName(value: JsonValue): string {
  if (value === null) return "NoneType";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "str";
  if (isPythonNumber(value)) return isFloat(value) ? "float" : "int";
  return Array.isArray(value) ? "list" : "dict";
}

/**
 * A text that two values share where Python finds them equal inside a list or object: numbers by value, objects in any
 * order, NaN itself, since the same object is read for each.
 */
export function equalityKey(value: JsonValue): string {
  if (isPythonNumber(value)) return numberKey(value);
  if (Array.isArray(value)) return `[${value.map(equalityKey).join()}]`;
  if (!(value instanceof Map)) return JSON.stringify(value);
  const members = Array.from(
    value,
    ([key, member]) => `${JSON.stringify(key)}:${equalityKey(member)}`,
  );
  return `{${members.sort().join()}}`;
}

/** `a == b`; NaN equals nothing. */
export function isEqual(a: JsonValue, b: JsonValue): boolean {
  if (typeof a === "string" && typeof b === "string") return a === b;
  return !Number.isNaN(a) && equalityKey(a) === equalityKey(b);
}

/** `a < b`: numbers, strings, or lists by their first elements that differ. @throws {ToolError} If they have no order. */
export function isLess(a: JsonValue, b: JsonValue): boolean {
  if (isPythonNumber(a) && isPythonNumber(b)) return compare(a, b) < 0;
  if (typeof a === "string" && typeof b === "string") {
    return compareStrings(a, b) < 0;
  }
  if (!Array.isArray(a) || !Array.isArray(b)) {
    throw new ToolError(
      `'<' not supported between instances of '${typeName(a)}' and '${
        typeName(b)
      }'`,
    );
  }
  for (const [i, left] of a.entries()) {
    const right = b[i];
    if (right === undefined) return false;
    if (equalityKey(left) !== equalityKey(right)) return isLess(left, right);
  }
  return a.length < b.length;
}

/**
 * A value as a key of an object whose keys are strings; `undefined` for what is never one of them.
 * @throws {ToolError} If Python cannot hash it.
 */
export function asKey(value: JsonValue): string | undefined {
  if (typeof value === "string") return value;
  if (value instanceof Map || Array.isArray(value)) {
    throw new ToolError(`unhashable type: '${typeName(value)}'`);
  }
  return undefined;
}

/** `object[key]`. @throws {ToolError} As `KeyError` where there is no such key. */
export function member(object: JsonObject, key: string): JsonValue {
  const value = object.get(key);
  if (value === undefined) throw keyError(key);
  return value;
}

/** `value[key]` of a value that may be anything. @throws {ToolError} As `KeyError` without the key, or if it is no object. */
export function subscript(value: JsonValue, key: string): JsonValue {
  if (value instanceof Map) return member(value, key);
  if (typeof value === "string") {
    throw new ToolError("string indices must be integers, not 'str'");
  }
  throw new ToolError(
    Array.isArray(value)
      ? "list indices must be integers or slices, not str"
      : `'${typeName(value)}' object is not subscriptable`,
  );
}

/** `object[key]` by a key that may be anything. @throws {ToolError} As `KeyError`, or if Python cannot hash the key. */
export function memberOf(object: JsonObject, key: JsonValue): JsonValue {
  const name = asKey(key);
  if (name === undefined) throw new ToolError(pythonRepr(key));
  return member(object, name);
}

/** The right operand of a number's operation, which must be a number. @throws {ToolError} If it is none. */
export function rightOperand(
  right: JsonValue,
  { left, operator }: { left: PythonNumber; operator: string },
): PythonNumber {
  if (isPythonNumber(right)) return right;
  throw operandError(operator, left, right);
}

/** `sum(values)`: from the left, beginning with int 0, without compensation. @throws {ToolError} If one is no number. */
export function sum(values: Iterable<JsonValue>): PythonNumber {
  let total: PythonNumber = 0;
  for (const value of values) {
    total = add(total, rightOperand(value, { left: total, operator: "+" }));
  }
  return total;
}

/** What Python says of operands that an operator does not take. */
export function operandError(
  operator: string,
  left: JsonValue,
  right: JsonValue,
): ToolError {
  return new ToolError(
    `unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${
      typeName(right)
    }'`,
  );
}

/** A number to compute with. @throws {ToolError} If it is none. */
export function asNumber(value: JsonValue): PythonNumber {
  if (isPythonNumber(value)) return value;
  throw new ToolError(`must be real number, not ${typeName(value)}`);
}

/** Python's `KeyError`, whose message is the key's `repr`. */
export function keyError(key: string): ToolError {
  return new ToolError(stringRepr(key));
}

/** What a `for` loop goes over: elements, characters or keys. @throws {ToolError} If it is none of these. */
export function elements(value: JsonValue): readonly JsonValue[] {
  if (Array.isArray(value)) return value;
  if (typeof value === "string") return [...value];
  if (value instanceof Map) return [...value.keys()];
  throw new ToolError(`'${typeName(value)}' object is not iterable`);
}

/** `len(value)`. @throws {ToolError} If it has none. */
export function length(value: JsonValue): number {
  if (
    Array.isArray(value) || typeof value === "string" || value instanceof Map
  ) return elements(value).length;
  throw new ToolError(`object of type '${typeName(value)}' has no len()`);
}

/** `value.lower()`. @throws {ToolError} If it is no string. */
export function lower(value: JsonValue): string {
  if (typeof value === "string") return value.toLowerCase();
  throw new ToolError(`'${typeName(value)}' object has no attribute 'lower'`);
}

/** Whole numbers as ints, whatever their type. */
function numberKey(value: PythonNumber): string {
  const plain = value instanceof Float ? value.value : value;
  if (typeof plain === "bigint") return String(plain);
  const double = Number(plain);
  return Number.isInteger(double) ? String(BigInt(double)) : String(double);
}
