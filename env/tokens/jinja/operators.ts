/** Implements Python's arithmetic operators for all types of values. */

import {
  add,
  compare,
  isFloat,
  multiply,
  negate,
  subtract,
  toDouble,
  toFloat,
} from "../../python/python_number.ts";
import { normalInt, type PythonNumber } from "../../python/python_value.ts";
import { isNumber } from "./compare.ts";
import { type JinjaError, limitError, typeError } from "./template_error.ts";
import type { Machine } from "./machine.ts";
import { percentFormat } from "./percent_format.ts";
import { str } from "./marked_text.ts";
import {
  Builtin,
  indexOf,
  isList,
  type List,
  Markup,
  plain,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** A binary arithmetic operator. */
export type ArithmeticOperator = "+" | "-" | "*" | "/" | "//" | "%" | "**";

/**
 * Maximum number of bits in an int. Python cannot print larger ints, and without a limit, repeated multiplication could
 * exhaust the memory.
 */
const MAX_BITS = 1 << 15;

type Operation = (left: Value, right: Value, machine: Machine) => Value;

/**
 * The implementation of each operator.
 * @throws {JinjaError} If the operands have unsupported types, the divisor is 0, or the result exceeds a limit.
 */
export const ARITHMETIC: Readonly<Record<ArithmeticOperator, Operation>> = {
  "+": plus,
  "-": numeric("-", subtract),
  "*": times,
  "/": numeric("/", divide),
  "//": numeric("//", floorDivide),
  "%": modulo,
  "**": numeric("** or pow()", power),
};

function plus(left: Value, right: Value, machine: Machine): Value {
  if (typeof left === "string" && typeof right === "string") {
    machine.checkLength(left.length + right.length);
    return left + right;
  }
  if (isText(left) && isText(right)) return joinMarkup(left, right, machine);
  if (Array.isArray(left) && Array.isArray(right)) {
    if (isList(left) === isList(right)) return concat(left, right, machine);
  }
  if (isNumber(left) && isNumber(right)) return bounded(add(left, right));
  if (left instanceof Undefined) throw left.error();
  if (right instanceof Undefined) throw right.error();
  if (typeof left === "string") {
    throw typeError(
      `can only concatenate str (not "${typeName(right)}") to str`,
    );
  }
  throw unsupported("+", left, right);
}

/** Checks whether a value is a string or markup. */
function isText(value: Value): value is string | Markup {
  return typeof value === "string" || value instanceof Markup;
}

function joinMarkup(
  left: string | Markup,
  right: string | Markup,
  machine: Machine,
): Markup {
  const [a, b] = [left, right].map((one) =>
    Markup.escape(one, (value) => str(value, machine)).text
  );
  machine.spend((a!.length + b!.length) >> 4);
  machine.checkLength(a!.length + b!.length);
  return new Markup(a! + b!);
}

function concat(left: List, right: List, machine: Machine): List {
  machine.spend(left.length + right.length);
  const all = [...left, ...right];
  return left instanceof Tuple ? Tuple.make(all) : all;
}

function times(left: Value, right: Value, machine: Machine): Value {
  if (isNumber(left) && isNumber(right)) return bounded(multiply(left, right));
  if (left instanceof Markup || right instanceof Markup) {
    return new Markup(str(times(plain(left), plain(right), machine), machine));
  }
  if (typeof left === "string" || Array.isArray(left)) {
    return repeat(left, right, machine);
  }
  if (typeof right === "string" || Array.isArray(right)) {
    return repeat(right, left, machine);
  }
  throw unsupported("*", left, right);
}

function repeat(value: string | List, times: Value, machine: Machine): Value {
  if (!isNumber(times) || isFloat(times)) {
    if (times instanceof Undefined) throw times.error();
    throw typeError(
      `can't multiply sequence by non-int of type '${typeName(times)}'`,
    );
  }
  const count = Math.max(0, indexOf(times));
  if (value.length === 0) return value;
  if (typeof value === "string") {
    machine.checkLength(value.length * count);
    return value.repeat(count);
  }
  machine.spend(value.length * count);
  const all = Array.from({ length: count }, () => value).flat();
  return value instanceof Tuple ? Tuple.make(all) : all;
}

function modulo(left: Value, right: Value, machine: Machine): Value {
  if (typeof left === "string") return percentFormat(left, right, { machine });
  if (left instanceof Markup) {
    const text = percentFormat(left.text, right, { machine, escapes: true });
    return new Markup(text);
  }
  return numeric("%", remainder)(left, right, machine);
}

function numeric(
  operator: string,
  operate: (a: PythonNumber, b: PythonNumber) => PythonNumber,
): Operation {
  return (left, right) => {
    if (isNumber(left) && isNumber(right)) return bounded(operate(left, right));
    throw unsupported(operator, left, right);
  };
}

function unsupported(operator: string, left: Value, right: Value): JinjaError {
  if (left instanceof Undefined) return left.error();
  if (right instanceof Undefined) return right.error();
  const [a, b] = [left, right].map((value) =>
    value instanceof Builtin ? value.name : typeName(value)
  );
  return typeError(
    `unsupported operand type(s) for ${operator}: '${a}' and '${b}'`,
  );
}

/**
 * Returns `value` if it is not too large.
 * @throws {JinjaError} If `value` has too many bits.
 */
function bounded(value: PythonNumber): PythonNumber {
  if (typeof value === "bigint" && BigInt.asIntN(MAX_BITS, value) !== value) {
    throw limitError("integer size");
  }
  return value;
}

function divide(a: PythonNumber, b: PythonNumber): PythonNumber {
  if (compare(b, 0) === 0) throw typeError("division by zero");
  return toFloat(toDouble(a) / toDouble(b));
}

function floorDivide(a: PythonNumber, b: PythonNumber): PythonNumber {
  if (compare(b, 0) === 0) {
    throw typeError("integer division or modulo by zero");
  }
  if (isFloat(a) || isFloat(b)) {
    const [x, y] = [toDouble(a), toDouble(b)];
    return toFloat(floatFloor(x, y));
  }
  const [x, y] = [BigInt(a), BigInt(b)];
  return normalInt((x - intRemainder(x, y)) / y);
}

function remainder(a: PythonNumber, b: PythonNumber): PythonNumber {
  if (compare(b, 0) === 0) {
    throw typeError("integer division or modulo by zero");
  }
  if (isFloat(a) || isFloat(b)) {
    return toFloat(floatRemainder(toDouble(a), toDouble(b)));
  }
  return normalInt(intRemainder(BigInt(a), BigInt(b)));
}

/**
 * Implements Python's `x // y` for floats.
 * @see CPython 3.11, Objects/floatobject.c, `_float_div_mod`.
 */
function floatFloor(x: number, y: number): number {
  const rest = x % y;
  let quotient = (x - rest) / y;
  if (rest !== 0 && (rest < 0) !== (y < 0)) quotient -= 1;
  if (quotient === 0) return x / y < 0 || Object.is(x / y, -0) ? -0 : 0;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

/** Implements Python's `x % y` for floats. The remainder has the sign of the divisor. */
function floatRemainder(x: number, y: number): number {
  const rest = x % y;
  if (rest === 0) return y < 0 ? -0 : 0;
  return (rest < 0) !== (y < 0) ? rest + y : rest;
}

function intRemainder(x: bigint, y: bigint): bigint {
  const rest = x % y;
  return rest !== 0n && (rest < 0n) !== (y < 0n) ? rest + y : rest;
}

function power(a: PythonNumber, b: PythonNumber): PythonNumber {
  if (isFloat(a) || isFloat(b) || compare(b, 0) < 0) {
    if (compare(a, 0) === 0 && compare(b, 0) < 0) {
      throw typeError("0.0 cannot be raised to a negative power");
    }
    return toFloat(toDouble(a) ** toDouble(b));
  }
  const base = BigInt(a);
  const bits = base.toString(2).length;
  if (bits > 1 && bits * Number(b) > MAX_BITS) throw limitError("integer size");
  // The powers of 0, 1 and -1 depend only on whether the exponent is 0, even or odd.
  const exponent = bits > 1
    ? BigInt(b)
    : BigInt(b) === 0n
    ? 0n
    : 2n + BigInt(b) % 2n;
  return normalInt(base ** exponent);
}

/**
 * Implements Python's `-value` or `+value`.
 * @throws {JinjaError} If the value is not a number.
 */
export function signed(sign: "+" | "-", value: Value): Value {
  if (value instanceof Undefined) throw value.error();
  if (!isNumber(value)) {
    throw typeError(`bad operand type for unary ${sign}: '${typeName(value)}'`);
  }
  return sign === "-" ? negate(value) : isFloat(value) ? value : add(value, 0);
}
