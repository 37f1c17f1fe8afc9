/** The values of `calculate`'s expressions, with Python's order of evaluation and its zero divisions. */

import type { BinaryOperator, Expression } from "./_calculator_parse.ts";
import { ToolError } from "../errors.ts";
import {
  add,
  compare,
  isFloat,
  multiply,
  negate,
  subtract,
  toDouble,
  toFloat,
} from "./python_number.ts";
import { normalInt, type PythonNumber } from "./python_value.ts";

/** What no float can be made of: a complex number, a tuple, the result of calling a number. */
export const NO_REAL: unique symbol = Symbol("no real number");

/** A value of an expression. */
export type Value = PythonNumber | typeof NO_REAL;

/** An int power beyond this many bits is refused; Python would compute it for hours. */
const MAX_POWER_BITS = 4_000_000;

/** Powers of floats are computed exactly up to this exponent, beyond it as the engine does. */
const MAX_EXACT_EXPONENT = 2048;

/** Evaluates left to right. @throws {ToolError} On a division by zero, or where a result is too large. */
export function evaluate(expression: Expression): Value {
  switch (expression.type) {
    case "number":
      return expression.value;
    case "other":
      return NO_REAL;
    case "call":
      expression.parts.forEach(evaluate);
      return NO_REAL;
    case "unary": {
      const operand = evaluate(expression.operand);
      return operand === NO_REAL || expression.operator === "+"
        ? operand
        : negate(operand);
    }
    case "binary": {
      const left = evaluate(expression.left);
      return operate(expression.operator, left, evaluate(expression.right));
    }
  }
}

function operate(operator: BinaryOperator, left: Value, right: Value): Value {
  if (left === NO_REAL || right === NO_REAL) {
    if (operator === "/" && right !== NO_REAL && isZero(right)) {
      throw new ToolError("complex division by zero");
    }
    return NO_REAL;
  }
  return OPERATORS[operator](left, right);
}

const OPERATORS: Readonly<
  Record<BinaryOperator, (a: PythonNumber, b: PythonNumber) => Value>
> = {
  "+": add,
  "-": subtract,
  "*": multiply,
  "/": divide,
  "//": floorDivide,
  "**": power,
};

function divide(a: PythonNumber, b: PythonNumber): PythonNumber {
  if (isFloat(a) || isFloat(b)) {
    const [x, y] = [toDouble(a), toDouble(b)];
    if (y === 0) throw new ToolError("float division by zero");
    return toFloat(x / y);
  }
  if (isZero(b)) throw new ToolError("division by zero");
  const quotient = typeof a === "bigint" || typeof b === "bigint"
    ? ratio(BigInt(a), BigInt(b))
    : Number(a) / Number(b);
  return toFloat(
    finite(quotient, "integer division result too large for a float"),
  );
}

function floorDivide(a: PythonNumber, b: PythonNumber): PythonNumber {
  if (isFloat(a) || isFloat(b)) {
    const [x, y] = [toDouble(a), toDouble(b)];
    if (y === 0) throw new ToolError("float floor division by zero");
    return toFloat(floorQuotient(x, y));
  }
  if (isZero(b)) throw new ToolError("integer division or modulo by zero");
  const [x, y] = [BigInt(a), BigInt(b)];
  const towardsZero = x / y;
  const exact = towardsZero * y === x;
  return normalInt(
    exact || (x < 0n) === (y < 0n) ? towardsZero : towardsZero - 1n,
  );
}

/** @see CPython 3.11, Objects/floatobject.c, `_float_div_mod`. */
function floorQuotient(x: number, y: number): number {
  const remainder = x % y;
  let quotient = (x - remainder) / y;
  if (remainder !== 0 && (y < 0) !== (remainder < 0)) quotient -= 1;
  if (quotient === 0) return x / y < 0 || Object.is(x / y, -0) ? -0 : 0;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

function power(a: PythonNumber, b: PythonNumber): Value {
  if (isFloat(a) || isFloat(b) || compare(b, 0) < 0) {
    return floatPower(toDouble(a), toDouble(b));
  }
  const [base, exponent] = [BigInt(a), BigInt(b)];
  if (
    BigInt(bitLength(base)) * exponent > MAX_POWER_BITS && bitLength(base) > 1
  ) {
    throw new ToolError("the result of ** is too large");
  }
  return normalInt(
    bitLength(base) > 1
      ? base ** exponent
      : base ** (exponent % 2n + (exponent > 0n ? 2n : 0n)),
  );
}

/** @see CPython 3.11, Objects/floatobject.c, `float_pow`. */
function floatPower(base: number, exponent: number): Value {
  if (exponent === 0 || base === 1) return toFloat(1);
  if (base === 0 && exponent < 0) {
    throw new ToolError("0.0 cannot be raised to a negative power");
  }
  if (!Number.isFinite(base) || !Number.isFinite(exponent)) {
    return toFloat(base === -1 ? 1 : base ** exponent);
  }
  if (base < 0 && !Number.isInteger(exponent)) return NO_REAL;
  return toFloat(
    finite(finitePower(base, exponent), "Numerical result out of range"),
  );
}

/** A power of finite numbers; correctly rounded where the exponent is a small int, as the C library's is. */
function finitePower(base: number, exponent: number): number {
  if (
    base === 0 || !Number.isInteger(exponent) ||
    Math.abs(exponent) > MAX_EXACT_EXPONENT
  ) return base ** exponent;
  const [numerator, denominator] = fraction(base);
  const n = BigInt(Math.abs(exponent));
  return exponent > 0
    ? ratio(numerator ** n, denominator ** n)
    : ratio(denominator ** n, numerator ** n);
}

/** A finite double as an exact fraction. */
function fraction(value: number): [bigint, bigint] {
  let denominator = 1n;
  while (!Number.isInteger(value)) {
    value *= 2;
    denominator *= 2n;
  }
  return [BigInt(value), denominator];
}

/** The double nearest to `numerator / denominator`, ties to even. */
function ratio(numerator: bigint, denominator: bigint): number {
  if (denominator < 0n) return ratio(-numerator, -denominator);
  if (numerator < 0n) return -ratio(-numerator, denominator);
  // A quotient of at least 66 bits, its last bit set if anything is lost, rounds to 53 as the exact one does.
  const shift = 66 - bitLength(numerator) + bitLength(denominator);
  const [n, d] = shift > 0
    ? [numerator << BigInt(shift), denominator]
    : [numerator, denominator << BigInt(-shift)];
  const quotient = n / d;
  const rounded = Number(quotient * d === n ? quotient : quotient | 1n);
  // In two steps, since a power of two may be out of range where the result is not.
  const half = Math.trunc(shift / 2);
  return rounded * 2 ** -half * 2 ** -(shift - half);
}

function bitLength(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const hex = magnitude.toString(16);
  return magnitude === 0n
    ? 0
    : 4 * (hex.length - 1) + 32 - Math.clz32(parseInt(hex.charAt(0), 16));
}

function isZero(value: PythonNumber): boolean {
  return compare(value, 0) === 0;
}

/** `value`, if it is finite. */
function finite(value: number, otherwise: string): number {
  if (Number.isFinite(value)) return value;
  throw new ToolError(otherwise);
}
