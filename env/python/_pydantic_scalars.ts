/**
 * Validates scalars as pydantic does: Python's numbers, and strings that represent them. Each validator returns the
 * converted value, or adds an error to the findings and returns `undefined`.
 *
 * @see pydantic-core 2.41, src/input/shared.rs and input_python.rs.
 */

import { choicesText, type Findings } from "./_pydantic_issue.ts";
import { isFloat, isPythonNumber, toDouble, toFloat } from "./python_number.ts";
import { type JsonValue, normalInt } from "./python_value.ts";

/** Accepts strings unchanged. */
export function validString(
  input: JsonValue,
  found: Findings,
): string | undefined {
  if (typeof input === "string") return input;
  return found.add(input, "string_type", "Input should be a valid string");
}

/** Accepts ints, bools, whole floats within 64 bits, and strings that represent an int. */
export function validInt(
  input: JsonValue,
  found: Findings,
): number | bigint | undefined {
  if (typeof input === "string") return intOfText(input, found);
  if (!isPythonNumber(input)) {
    return found.add(input, "int_type", "Input should be a valid integer");
  }
  if (isFloat(input)) return intOfFloat(input, found);
  return typeof input === "boolean" ? Number(input) : input as number | bigint;
}

/** Accepts floats, bools, ints within the range of a double, and strings that Rust or Python parses as a float. */
export function validFloat(
  input: JsonValue,
  found: Findings,
): JsonValue | undefined {
  if (typeof input === "string") return floatOfText(input, found);
  if (isPythonNumber(input)) {
    const double = typeof input === "bigint" ? Number(input) : toDouble(input);
    if (isFloat(input) || Number.isFinite(double)) return toFloat(double);
  }
  return found.add(input, "float_type", "Input should be a valid number");
}

/** Accepts bools, 0 and 1 as ints or floats, and strings such as `1`, `yes` and `off`. */
export function validBool(
  input: JsonValue,
  found: Findings,
): boolean | undefined {
  if (typeof input === "boolean") return input;
  const isText = typeof input === "string";
  if (isText && isUnreadable(input, found)) return undefined;
  const word = isText ? input.toLowerCase() : smallInt(input);
  if (word === undefined) {
    return found.add(input, "bool_type", "Input should be a valid boolean");
  }
  if (TRUE_WORDS.has(word)) return true;
  if (FALSE_WORDS.has(word)) return false;
  return found.add(
    input,
    "bool_parsing",
    "Input should be a valid boolean, unable to interpret input",
  );
}

const TRUE_WORDS: ReadonlySet<string> = new Set(
  ["1", "t", "y", "yes", "on", "true"],
);
const FALSE_WORDS: ReadonlySet<string> = new Set(
  ["0", "f", "n", "no", "off", "false"],
);

/** Accepts one of several strings. The match is exact. */
export function validChoice(
  input: JsonValue,
  { choices, type }: { choices: readonly string[]; type: string },
  found: Findings,
): string | undefined {
  if (typeof input === "string") {
    if (choices.includes(input)) return input;
    if (isUnreadable(input, found)) return undefined;
  }
  return found.add(input, type, `Input should be ${choicesText(choices)}`);
}

/** The characters that Rust's `trim()` removes, which differ from JavaScript's and Python's white space. */
const SPACE =
  /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

function trim(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && SPACE.test(text.charAt(start))) start++;
  while (start < end && SPACE.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/**
 * Matches ints such as `+1`, `1_000` and `1.00`. Leading zeros and the underscores between them are dropped before the
 * sign is read, so that `0-1` is -1.
 */
const INT =
  /^(?:(?:([+-]?)(?:0[0_]*(?=[1-9]|0(?:\.0+)?$))?)(\d+(?:_\d+)*)|\+?0[0_]*-_?(0|[1-9]\d*(?:_\d+)*))(?:\.0+)?$/;

/**
 * The maximum length of an int in a string, including a minus sign but not leading zeros or underscores. Longer ints
 * are rejected without converting them.
 */
const MAX_DIGITS = 4300;

function intOfText(text: string, found: Findings): number | bigint | undefined {
  if (isUnreadable(text, found)) return undefined;
  const trimmed = trim(text);
  if ((/^-?[1-9]\d*/.exec(trimmed)?.[0].length ?? 0) > MAX_DIGITS) {
    return tooLarge(text, found);
  }
  const match = INT.exec(trimmed);
  if (match === null) {
    return found.add(
      text,
      "int_parsing",
      "Input should be a valid integer, unable to parse string as an integer",
    );
  }
  const [, sign = "-", digits, behindZeros = ""] = match;
  const plain = (digits ?? behindZeros).replaceAll("_", "").replace(/^0+/, "");
  const isNegative = sign === "-";
  if (plain.length + Number(isNegative) > MAX_DIGITS) {
    return tooLarge(text, found);
  }
  return normalInt(isNegative ? -BigInt(plain) : BigInt(plain));
}

const MIN_LONG = -(2 ** 63);
const MAX_LONG = 2 ** 63;

function intOfFloat(
  input: JsonValue,
  found: Findings,
): number | bigint | undefined {
  const double = isPythonNumber(input) ? toDouble(input) : NaN;
  if (!Number.isFinite(double)) {
    return found.add(input, "finite_number", "Input should be a finite number");
  }
  if (!Number.isInteger(double)) {
    return found.add(
      input,
      "int_from_float",
      "Input should be a valid integer, got a number with a fractional part",
    );
  }
  if (double <= MIN_LONG || double >= MAX_LONG) return tooLarge(input, found);
  return normalInt(BigInt(double));
}

function tooLarge(input: JsonValue, found: Findings): undefined {
  return found.add(
    input,
    "int_parsing_size",
    "Unable to parse input string as an integer, exceeded maximum size",
  );
}

const FLOAT =
  /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)$/i;

function floatOfText(text: string, found: Findings): JsonValue | undefined {
  if (isUnreadable(text, found)) return undefined;
  const trimmed = trim(text);
  const plain = /^_|__|_$/.test(trimmed)
    ? trimmed
    : trimmed.replaceAll("_", "");
  if (FLOAT.test(plain)) return toFloat(doubleOf(plain.toLowerCase()));
  return found.add(
    text,
    "float_parsing",
    "Input should be a valid number, unable to parse string as a number",
  );
}

function doubleOf(text: string): number {
  if (text.includes("n")) {
    if (text.endsWith("nan")) return NaN;
    return text.startsWith("-") ? -Infinity : Infinity;
  }
  return Number(text);
}

/** Converts an int or whole float that fits in 64 bits to a string. Returns `undefined` for any other value. */
function smallInt(input: JsonValue): string | undefined {
  if (!isPythonNumber(input)) return undefined;
  if (!isFloat(input)) {
    const int = BigInt(input as number | bigint);
    return BigInt.asIntN(64, int) === int ? String(int) : undefined;
  }
  const double = toDouble(input);
  return Number.isInteger(double) && Math.abs(double) < MAX_LONG
    ? String(BigInt(double))
    : undefined;
}

/**
 * Checks whether a string contains lone surrogates, which Rust's strings cannot represent, and adds an error if it
 * does.
 */
function isUnreadable(text: string, found: Findings): boolean {
  if (text.isWellFormed()) return false;
  found.add(
    text,
    "string_unicode",
    "Input should be a valid string, unable to parse raw data as a unicode string",
  );
  return true;
}
