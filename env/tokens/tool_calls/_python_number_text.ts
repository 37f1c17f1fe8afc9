/**
 * Parses numbers in a model's text as Python's `int` and `float` do, which allow surrounding white space and
 * underscores between digits. Unlike in Python, only ASCII digits are accepted.
 */

import { Float, normalInt } from "../../python/python_value.ts";
import { pythonStrip } from "./_python_text.ts";

const INT = /^[+-]?\d+(?:_\d+)*$/;
const FLOAT =
  /^[+-]?(?:\d+(?:_\d+)*)?(?:\.(?:\d+(?:_\d+)*)?)?(?:e[+-]?\d+(?:_\d+)*)?$/i;
const NAMED = /^([+-]?)(?:(inf(?:inity)?)|nan)$/i;

/** Maximum number of digits that Python converts to an int. */
const MAX_DIGITS = 4_300;

/** Implements Python's `int(text)`. Returns `undefined` if Python raises an error. */
export function pythonInt(text: string): number | bigint | undefined {
  const stripped = pythonStrip(text);
  if (!INT.test(stripped)) return undefined;
  const digits = stripped.replaceAll("_", "").replace(/^\+/, "");
  if (digits.replace("-", "").length > MAX_DIGITS) return undefined;
  const isNegative = digits.startsWith("-");
  const value = BigInt(digits.replace("-", ""));
  return normalInt(isNegative ? -value : value);
}

/** Implements Python's `float(text)` as a double. Returns `undefined` if Python raises an error. */
export function pythonFloat(text: string): number | undefined {
  const stripped = pythonStrip(text);
  const named = NAMED.exec(stripped);
  if (named !== null) {
    const [, sign, infinite] = named;
    if (infinite === undefined) return NaN;
    return sign === "-" ? -Infinity : Infinity;
  }
  if (!FLOAT.test(stripped) || !/^[+-]?\.?\d/.test(stripped)) return undefined;
  return Number(stripped.replaceAll("_", ""));
}

/** Converts a double to the value that represents a Python float. */
export function floatValue(value: number): number | Float {
  return Number.isInteger(value) ? new Float(value) : value;
}
