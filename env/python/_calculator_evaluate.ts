/** Evaluates the expressions of the tool `calculate` with Python's evaluation order and division errors. */

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

/**
 * A placeholder for a value that cannot be converted to a float: a complex number, an empty tuple, `...` or the result
 * of a call.
 */
export const NO_REAL: unique symbol = Symbol("no real number");

/** The value of an expression. */
export type Value = PythonNumber | typeof NO_REAL;

/**
 * The maximum cost of an expression. The unit is one product of two 64-bit words, as in long multiplication. The limit
 * allows about 0.1 s of computation, enough for a power with 700,000 bits. Python has no such limit and may compute for
 * hours.
 */
const MAX_WORK = 2 ** 26;

/**
 * The largest magnitude of an integer exponent for which powers of floats are computed exactly and then rounded. All
 * other exponents use `**`.
 */
const MAX_EXACT_EXPONENT = 2048;

/**
 * Evaluates an expression. Operands are evaluated from left to right.
 * @throws {ToolError} If the expression divides by zero, a float overflows, an int is too large to convert to a float,
 * or the evaluation exceeds the cost limit.
 */
export function evaluate(expression: Expression): Value {
  return valueOf(expression, new Work());
}

/** The remaining cost budget of an expression. */
class Work {
  #left = MAX_WORK;

  /**
   * Deducts the cost of an operation from the budget.
   * @throws {ToolError} If the budget is exceeded.
   */
  spend(cost: number): void {
    this.#left -= cost;
    if (this.#left < 0) throw new ToolError("the numbers are too large");
  }
}

function valueOf(expression: Expression, work: Work): Value {
  switch (expression.type) {
    case "number":
      return expression.value;
    case "other":
      return NO_REAL;
    case "call":
      expression.parts.forEach((part) => valueOf(part, work));
      return NO_REAL;
    case "unary": {
      const operand = valueOf(expression.operand, work);
      if (operand !== NO_REAL) work.spend(words(operand));
      return operand === NO_REAL || expression.operator === "+"
        ? operand
        : negate(operand);
    }
    case "binary": {
      const left = valueOf(expression.left, work);
      const right = valueOf(expression.right, work);
      return operate(expression.operator, { left, right, work });
    }
  }
}

function operate(
  operator: BinaryOperator,
  { left, right, work }: { left: Value; right: Value; work: Work },
): Value {
  if (left === NO_REAL || right === NO_REAL) {
    if (operator === "/" && right !== NO_REAL && isZero(right)) {
      throw new ToolError("complex division by zero");
    }
    return NO_REAL;
  }
  work.spend(COSTS[operator](left, right));
  return OPERATORS[operator](left, right);
}

const COSTS: Readonly<
  Record<BinaryOperator, (a: PythonNumber, b: PythonNumber) => number>
> = {
  "+": sumCost,
  "-": sumCost,
  "*": productCost,
  // The quotient is only a few words long, but the operands are shifted and written out.
  "/": (a, b) => 16 * sumCost(a, b),
  "//": productCost,
  "**": powerCost,
};

function sumCost(a: PythonNumber, b: PythonNumber): number {
  return words(a) + words(b);
}

function productCost(a: PythonNumber, b: PythonNumber): number {
  return words(a) * words(b);
}

/**
 * Returns the cost of a power. For an integer power, this is twice the cost of the last multiplication, which costs
 * more than all earlier ones combined.
 */
function powerCost(a: PythonNumber, b: PythonNumber): number {
  if (isFloat(a) || isFloat(b) || compare(b, 0) < 0) return floatPowerCost(b);
  const bits = bitLength(BigInt(a));
  return bits > 1 ? (bits * Number(b) / 64) ** 2 / 2 : sumCost(a, b);
}

/**
 * Returns the cost of a float power. A double is a fraction with a numerator of 53 bits and a denominator of at most
 * 1,074 bits. Only the numerator is multiplied; the denominator is a power of two and is only shifted.
 */
function floatPowerCost(exponent: PythonNumber): number {
  const times = Math.abs(toDouble(exponent));
  if (times > MAX_EXACT_EXPONENT) return 1;
  return (53 * times / 64) ** 2 / 2 + 16 * 1074 * times / 64;
}

/** Returns the number of 64-bit words in a number. */
function words(value: PythonNumber): number {
  return typeof value === "bigint" ? Math.ceil(bitLength(value) / 64) : 1;
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

/**
 * Implements Python's `x // y` for floats.
 * @see CPython 3.11, Objects/floatobject.c, `_float_div_mod`.
 */
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
  return normalInt(
    bitLength(base) > 1
      ? base ** exponent
      : base ** (exponent % 2n + (exponent > 0n ? 2n : 0n)),
  );
}

/**
 * Implements Python's `base ** exponent` for floats.
 * @see CPython 3.11, Objects/floatobject.c, `float_pow`.
 */
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
    finite(
      finitePower(base, exponent),
      "(34, 'Numerical result out of range')",
    ),
  );
}

/**
 * Raises a finite number to a finite power. The result is correctly rounded for small integer exponents, as in the C
 * library.
 */
function finitePower(base: number, exponent: number): number {
  if (
    base === 0 || !Number.isInteger(exponent) ||
    Math.abs(exponent) > MAX_EXACT_EXPONENT
  ) return base ** exponent;
  const [numerator, denominatorBits] = fraction(base);
  const n = BigInt(Math.abs(exponent));
  return exponent > 0
    ? ratio(numerator ** n, 1n << denominatorBits * n)
    : ratio(1n << denominatorBits * n, numerator ** n);
}

/** Converts a finite double to an exact fraction with the denominator `2 ** bits`. */
function fraction(value: number): [numerator: bigint, bits: bigint] {
  let bits = 0n;
  while (!Number.isInteger(value)) {
    value *= 2;
    bits++;
  }
  return [BigInt(value), bits];
}

/** Returns the double nearest to `numerator / denominator`. Ties round to even. */
function ratio(numerator: bigint, denominator: bigint): number {
  if (denominator < 0n) return ratio(-numerator, -denominator);
  if (numerator < 0n) return -ratio(-numerator, denominator);
  // A quotient of at least 66 bits whose last bit is set if it is inexact rounds to 53 bits as the exact quotient does.
  const shift = 66 - bitLength(numerator) + bitLength(denominator);
  const [n, d] = shift > 0
    ? [numerator << BigInt(shift), denominator]
    : [numerator, denominator << BigInt(-shift)];
  const quotient = n / d;
  const rounded = Number(quotient * d === n ? quotient : quotient | 1n);
  // Scales in two steps, since the power of two may be out of range although the result is not.
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

/**
 * Returns `value` if it is finite.
 * @throws {ToolError} If `value` is not finite, with the message in `otherwise`.
 */
function finite(value: number, otherwise: string): number {
  if (Number.isFinite(value)) return value;
  throw new ToolError(otherwise);
}
