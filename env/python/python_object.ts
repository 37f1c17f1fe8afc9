/**
 * Implements Python's operations on values of any type, such as equality, order, subscripts, iteration and length,
 * including the errors that they raise. τ-bench does not check the types of arguments, so these operations determine
 * the result for arguments of unexpected types.
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

/** Returns the name of the value's type as it appears in Python's error messages. */
export function typeName(value: JsonValue): string {
  if (value === null) return "NoneType";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "str";
  if (isPythonNumber(value)) return isFloat(value) ? "float" : "int";
  return Array.isArray(value) ? "list" : "dict";
}

/**
 * Returns a string that is the same for all values that Python considers equal inside a list or object: numbers by
 * value, and objects regardless of key order. NaN equals itself, since Python compares the identical object.
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

/** Implements Python's `a == b`. NaN is not equal to anything. */
export function isEqual(a: JsonValue, b: JsonValue): boolean {
  if (typeof a === "string" && typeof b === "string") return a === b;
  return !Number.isNaN(a) && equalityKey(a) === equalityKey(b);
}

/**
 * Implements Python's `a < b` for numbers, strings, or lists, which are compared by their first differing elements.
 * @throws {ToolError} If the values cannot be ordered.
 */
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
 * Converts a value to a key of an object with string keys, or returns `undefined` for a value that cannot equal a
 * string.
 * @throws {ToolError} If Python cannot hash the value.
 */
export function asKey(value: JsonValue): string | undefined {
  if (typeof value === "string") return value;
  if (value instanceof Map || Array.isArray(value)) {
    throw new ToolError(`unhashable type: '${typeName(value)}'`);
  }
  return undefined;
}

/**
 * Implements Python's `object[key]`.
 * @throws {ToolError} If the key does not exist, with Python's `KeyError` message.
 */
export function member(object: JsonObject, key: string): JsonValue {
  const value = object.get(key);
  if (value === undefined) throw keyError(key);
  return value;
}

/**
 * Implements Python's `value[key]` for a value of any type.
 * @throws {ToolError} If the key does not exist, with Python's `KeyError` message; or if the value is not an object.
 */
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

/**
 * Implements Python's `object[key]` for a key of any type.
 * @throws {ToolError} If the key does not exist, with Python's `KeyError` message; or if Python cannot hash the key.
 */
export function memberOf(object: JsonObject, key: JsonValue): JsonValue {
  const name = asKey(key);
  if (name === undefined) throw new ToolError(pythonRepr(key));
  return member(object, name);
}

/**
 * Returns the right operand of a numeric operation after checking its type.
 * @throws {ToolError} If the operand is not a number.
 */
export function rightOperand(
  right: JsonValue,
  { left, operator }: { left: PythonNumber; operator: string },
): PythonNumber {
  if (isPythonNumber(right)) return right;
  throw operandError(operator, left, right);
}

/**
 * Implements Python's `sum(values)`: adds from left to right, starting with int 0, without compensated summation.
 * @throws {ToolError} If a value is not a number.
 */
export function sum(values: Iterable<JsonValue>): PythonNumber {
  let total: PythonNumber = 0;
  for (const value of values) {
    total = add(total, rightOperand(value, { left: total, operator: "+" }));
  }
  return total;
}

/** Returns Python's error for operands that an operator does not support. */
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

/**
 * Returns `value` after checking that it is a number.
 * @throws {ToolError} If the value is not a number.
 */
export function asNumber(value: JsonValue): PythonNumber {
  if (isPythonNumber(value)) return value;
  throw new ToolError(`must be real number, not ${typeName(value)}`);
}

/** Returns Python's `KeyError`, whose message is the key's `repr`. */
export function keyError(key: string): ToolError {
  return new ToolError(stringRepr(key));
}

/**
 * Lists what a `for` loop iterates over: elements, characters or keys.
 * @throws {ToolError} If the value is not iterable.
 */
export function elements(value: JsonValue): readonly JsonValue[] {
  if (Array.isArray(value)) return value;
  if (typeof value === "string") return [...value];
  if (value instanceof Map) return [...value.keys()];
  throw new ToolError(`'${typeName(value)}' object is not iterable`);
}

/**
 * Implements Python's `len(value)`.
 * @throws {ToolError} If the value has no length.
 */
export function length(value: JsonValue): number {
  if (
    Array.isArray(value) || typeof value === "string" || value instanceof Map
  ) return elements(value).length;
  throw new ToolError(`object of type '${typeName(value)}' has no len()`);
}

/**
 * Implements Python's `value.lower()`.
 * @throws {ToolError} If the value is not a string.
 */
export function lower(value: JsonValue): string {
  if (typeof value === "string") return value.toLowerCase();
  throw new ToolError(`'${typeName(value)}' object has no attribute 'lower'`);
}

/** Returns the equality key of a number. A whole float has the same key as the equal int. */
function numberKey(value: PythonNumber): string {
  const plain = value instanceof Float ? value.value : value;
  if (typeof plain === "bigint") return String(plain);
  const double = Number(plain);
  return Number.isInteger(double) ? String(BigInt(double)) : String(double);
}
