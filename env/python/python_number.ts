/**
 * Implements Python's arithmetic, comparison and formatting of JSON numbers: ints are unbounded, floats are doubles,
 * and bools count as 0 or 1.
 */

import { ToolError } from "../errors.ts";
import {
  Float,
  type JsonValue,
  normalInt,
  type PythonNumber,
} from "./python_value.ts";

/** Checks whether `value` is a Python `int`, `float` or `bool`. */
export function isPythonNumber(value: JsonValue): value is PythonNumber {
  return typeof value === "number" || typeof value === "bigint" ||
    typeof value === "boolean" || value instanceof Float;
}

/** Checks whether `value` is a Python `float`. */
export function isFloat(value: JsonValue): value is number | Float {
  return value instanceof Float ||
    (typeof value === "number" && !Number.isInteger(value));
}

/** Converts a double to a Python `float`. */
export function toFloat(value: number): number | Float {
  return Number.isInteger(value) ? new Float(value) : value;
}

/**
 * Converts a number to a double as `float(value)` does.
 * @throws {ToolError} If an int is too large.
 */
export function toDouble(value: PythonNumber): number {
  if (typeof value === "number") return value;
  if (value instanceof Float) return value.value;
  const double = Number(value);
  if (!Number.isFinite(double)) {
    throw new ToolError("int too large to convert to float");
  }
  return double;
}

/** Implements Python's `a + b`. */
export function add(a: PythonNumber, b: PythonNumber): PythonNumber {
  if (isFloat(a) || isFloat(b)) return toFloat(toDouble(a) + toDouble(b));
  const sum = Number(a) + Number(b);
  return isExact(a, b, sum) ? sum : normalInt(BigInt(a) + BigInt(b));
}

/** Implements Python's `a - b`. */
export function subtract(a: PythonNumber, b: PythonNumber): PythonNumber {
  if (isFloat(a) || isFloat(b)) return toFloat(toDouble(a) - toDouble(b));
  const difference = Number(a) - Number(b);
  return isExact(a, b, difference)
    ? difference
    : normalInt(BigInt(a) - BigInt(b));
}

/**
 * Checks whether the sum or difference of two ints, computed with doubles, is exact. With bigints it never is: even if
 * their sum is small, their doubles have already lost digits.
 */
function isExact(a: PythonNumber, b: PythonNumber, sum: number): boolean {
  return typeof a !== "bigint" && typeof b !== "bigint" &&
    Number.isSafeInteger(sum);
}

/** Implements Python's `a * b`. */
export function multiply(a: PythonNumber, b: PythonNumber): PythonNumber {
  if (isFloat(a) || isFloat(b)) return toFloat(toDouble(a) * toDouble(b));
  const product = Number(a) * Number(b);
  // `+ 0` since an int has no negative zero.
  return Number.isSafeInteger(product)
    ? product + 0
    : normalInt(BigInt(a) * BigInt(b));
}

/** Implements Python's `-a`. */
export function negate(a: PythonNumber): PythonNumber {
  return isFloat(a) ? toFloat(-toDouble(a)) : subtract(0, a);
}

/** Implements Python's `abs(a)`. */
export function absolute(a: PythonNumber): PythonNumber {
  if (isFloat(a)) return toFloat(Math.abs(toDouble(a)));
  return compare(a, 0) < 0 ? negate(a) : add(a, 0);
}

/**
 * Compares two numbers by value. Returns -1, 0 or 1 if `a` is less than, equal to or greater than `b`, or NaN if either
 * is NaN.
 */
export function compare(a: PythonNumber, b: PythonNumber): number {
  const [x, y] = [comparable(a), comparable(b)];
  return x < y ? -1 : x > y ? 1 : x == y ? 0 : NaN;
}

/**
 * Implements Python's `round(value, 2)`: rounds the exact binary value, with ties to even. Ints and bools are returned
 * unchanged.
 */
export function round2(value: PythonNumber): PythonNumber {
  return isFloat(value) ? toFloat(roundDouble2(toDouble(value))) : value;
}

/** Rounds a double as {@linkcode round2} does. */
export function roundDouble2(value: number): number {
  const magnitude = Math.abs(value);
  // From 2 ** 51 on, a double has at most one binary digit after the point and needs no rounding.
  if (value === 0 || !(magnitude < 2 ** 51)) return value;
  // Odd eighths are the only doubles halfway between hundredths.
  const whole = Math.floor(magnitude);
  const tie = TIES.get((magnitude - whole) * 8);
  // toFixed also rounds the exact value, but rounds ties away from zero.
  const rounded = Number(
    tie === undefined ? magnitude.toFixed(2) : `${whole}${tie}`,
  );
  return value < 0 ? -rounded : rounded;
}

/** The odd eighths, 1/8 to 7/8, rounded to hundredths with ties to even. */
const TIES: ReadonlyMap<number, string> = new Map([
  [1, ".12"],
  [3, ".38"],
  [5, ".62"],
  [7, ".88"],
]);

/**
 * Formats the `repr` of a float: the shortest digits that round-trip, with a point or an exponent; or `nan`, `inf` or
 * `-inf`.
 */
export function floatRepr(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  }
  if (Object.is(value, -0)) return "-0.0";
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    return value.toExponential().replace(
      /e([+-])(\d)$/,
      (_, sign: string, digit: string) => `e${sign}0${digit}`,
    );
  }
  const text = String(value);
  return Number.isInteger(value) ? `${text}.0` : text;
}

/** Formats the `repr` of a number. */
export function numberRepr(value: PythonNumber): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (isFloat(value)) return floatRepr(toDouble(value));
  return String(value);
}

/**
 * Converts a number to a JavaScript number or bigint for comparison. JavaScript compares the two types exactly, as
 * Python compares ints and floats.
 */
function comparable(value: PythonNumber): number | bigint {
  if (value instanceof Float) return value.value;
  return typeof value === "boolean" ? Number(value) : value;
}
