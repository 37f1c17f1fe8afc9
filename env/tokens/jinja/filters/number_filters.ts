/** Implements the filters for numbers. */

import {
  absolute,
  isFloat,
  toDouble,
  toFloat,
} from "../../../python/python_number.ts";
import { normalInt } from "../../../python/python_value.ts";
import { method } from "../arguments.ts";
import { isNumber } from "../compare.ts";
import { typeError } from "../template_error.ts";
import { fixed, rounded } from "../number_format.ts";
import { isSpace } from "../../../python/python_space.ts";
import { indexOf, isTrue, typeName, Undefined, type Value } from "../values.ts";
import type { Filter } from "./filter.ts";

/** The filters for numbers. Parameters have the same order as in Jinja. */
export const NUMBER_FILTERS: readonly Filter[] = [
  method("abs", "", (value) => absolute(number(value))),
  method(
    "int",
    "default?, base?",
    (value, [otherwise = 0, base = 10]) =>
      toInt(value, { otherwise, base: indexOf(base) }),
  ),
  method("float", "default?", (value, [otherwise]) => {
    if (value instanceof Undefined) throw value.error();
    const float = isNumber(value) ? toDouble(value) : parseFloat(value);
    if (float !== undefined) return toFloat(float);
    return otherwise === undefined ? toFloat(0) : otherwise;
  }),
  method(
    "round",
    "precision?, method?",
    (value, [precision = 0, how = "common"]) =>
      round(value, indexOf(precision), how),
  ),
  method(
    "filesizeformat",
    "binary?",
    (value, [binary = false]) => fileSize(value, isTrue(binary)),
  ),
];

function number(value: Value) {
  if (isNumber(value)) return value;
  throw typeError(`a number is required, not '${typeName(value)}'`);
}

function toInt(
  value: Value,
  { otherwise, base }: { readonly otherwise: Value; readonly base: number },
): Value {
  if (value instanceof Undefined) throw value.error();
  if (isNumber(value)) {
    if (!isFloat(value)) return normalInt(BigInt(value));
    const double = toDouble(value);
    if (Number.isNaN(double)) return otherwise;
    if (!Number.isFinite(double)) {
      throw typeError("cannot convert float infinity to integer");
    }
    return normalInt(BigInt(Math.trunc(double)));
  }
  const int = typeof value === "string" ? parseInt(value, base) : undefined;
  if (int !== undefined) return int;
  const float = parseFloat(value);
  return float === undefined || !Number.isFinite(float)
    ? otherwise
    : normalInt(BigInt(Math.trunc(float)));
}

/**
 * Normalizes the text of a number as Python does: converts the digits of any script to ASCII, and trims white space.
 */
function asciiNumber(text: string): string {
  return text
    .replace(
      /[^\0-\x7e]/gu,
      (character) =>
        isSpace(character, 0) ? " " : digitValue(character) ?? character,
    )
    .replace(/^[\t-\r ]+/, "")
    .replace(/(?<![\t-\r ])[\t-\r ]+$/, "");
}

const DIGIT = /\p{Nd}/u;

/**
 * Converts a decimal digit of any script to the ASCII digit with the same value. Returns `undefined` for any other
 * character. In Unicode, the ten digits of a script are consecutive.
 */
function digitValue(character: string): string | undefined {
  const code = character.codePointAt(0)!;
  if (!DIGIT.test(character)) return undefined;
  // Mathematical digits form five consecutive groups.
  if (code >= 0x1d7ce && code <= 0x1d7ff) return String((code - 0x1d7ce) % 10);
  let value = 0;
  while (DIGIT.test(String.fromCodePoint(code - value - 1))) value++;
  return String(value);
}

const PREFIXES: Readonly<Record<string, number>> = { x: 16, o: 8, b: 2 };

/** Implements Python's `int(text, base)`. Returns `undefined` if Python raises an error. */
function parseInt(text: string, base: number): Value | undefined {
  const match = /^([-+]?)(?:0([xob]))?(_?[0-9a-z]+(?:_[0-9a-z]+)*)$/i
    .exec(asciiNumber(text));
  if (match === null || base < 0 || base === 1 || base > 36) return undefined;
  const [, sign, prefix, body = ""] = match;
  const implied = prefix === undefined
    ? undefined
    : PREFIXES[prefix.toLowerCase()];
  // In base 16, the `b` of the base-2 prefix is a digit.
  const own = base === 0 ? implied ?? 10 : base;
  const digits =
    (implied === undefined || implied === own ? body : prefix + body)
      .replaceAll("_", "").toLowerCase();
  if (implied === undefined && body.startsWith("_")) return undefined;
  if (digits.length > MAX_DIGITS) return undefined;
  let value = 0n;
  for (const digit of digits) {
    const one = Number.parseInt(digit, 36);
    if (!(one < own)) return undefined;
    value = value * BigInt(own) + BigInt(one);
  }
  return normalInt(sign === "-" ? -value : value);
}

/** Maximum number of digits in an int that is parsed from text, as in CPython. */
const MAX_DIGITS = 4300;

const DIGITS = "\\d+(?:_\\d+)*";
const FLOAT = new RegExp(
  `^[-+]?(?:(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:e[-+]?${DIGITS})?|inf|infinity|nan)$`,
  "i",
);

/** Implements Python's `float(text)`. Returns `undefined` if Python raises an error. */
function parseFloat(value: Value): number | undefined {
  if (typeof value !== "string") return undefined;
  const text = asciiNumber(value).toLowerCase().replace(/^\+/, "");
  if (!FLOAT.test(text)) return undefined;
  if (/nan$/.test(text)) return NaN;
  if (/inf/.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  const float = Number(text.replaceAll("_", ""));
  return Number.isNaN(float) ? undefined : float;
}

function round(value: Value, precision: number, how: Value): Value {
  const exact = number(value);
  switch (how) {
    case "common":
      return isFloat(exact)
        ? toFloat(rounded(toDouble(exact), precision))
        : precision >= 0
        ? normalInt(BigInt(exact))
        : rounded(toDouble(exact), precision);
    case "ceil":
    case "floor": {
      const factor = 10 ** precision;
      return toFloat(Math[how](toDouble(exact) * factor) / factor);
    }
  }
  throw typeError("method must be common, ceil or floor");
}

function fileSize(value: Value, binary: boolean): string {
  const bytes = isNumber(value) ? toDouble(value) : parseFloat(value);
  if (bytes === undefined) {
    throw typeError(`a number is required, not '${typeName(value)}'`);
  }
  const base = binary ? 1024 : 1000;
  if (bytes === 1) return "1 Byte";
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const letters = binary ? "KMGTPEZY" : "kMGTPEZY";
  let power = 1;
  while (power < letters.length && bytes >= base ** (power + 1)) power++;
  const suffix = `${letters[power - 1]}${binary ? "iB" : "B"}`;
  return `${fixed(bytes / base ** power, 1)} ${suffix}`;
}
