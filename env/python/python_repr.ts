/** Implements Python's `str()`, `repr()` and string comparison. */

import { isPythonNumber, numberRepr } from "./python_number.ts";
import type { JsonObject, JsonValue } from "./python_value.ts";
import { isPrintable } from "./unicode_printable.ts";

/** Implements Python's `str(value)`: strings unquoted, other values as `repr`. */
export function pythonStr(value: JsonValue): string {
  return typeof value === "string" ? value : pythonRepr(value);
}

/** Implements Python's `repr(value)`, such as `None`, `True`, `1.0`, `[{'a': 1}]`. */
export function pythonRepr(value: JsonValue): string {
  if (typeof value === "string") return stringRepr(value);
  if (value === null) return "None";
  if (isPythonNumber(value)) return numberRepr(value);
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(", ")}]`;
  return objectRepr(value);
}

/** Formats the `repr` of a string: in single quotes, or in double quotes if it contains `'` and no `"`. */
export function stringRepr(text: string): string {
  if (PLAIN.test(text)) return `'${text}'`;
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let body = "";
  for (const character of text) body += escaped(character, quote);
  return quote + body + quote;
}

/**
 * Compares strings by code point, as Python does. Returns a negative number, 0 or a positive number if `a` is less than,
 * equal to or greater than `b`.
 */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rank(a, i) - rank(b, i);
  }
  return a.length - b.length;
}

/** Matches printable ASCII that needs no escapes, because it contains no single quotes or backslashes. */
const PLAIN = /^[ -&(-[\]-~]*$/;

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

function escaped(character: string, quote: string): string {
  if (character === quote) return `\\${quote}`;
  const short = SHORT_ESCAPES.get(character);
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (isPrintable(code)) return character;
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff
    ? `\\u${hex.padStart(4, "0")}`
    : `\\U${hex.padStart(8, "0")}`;
}

function objectRepr(value: JsonObject): string {
  const members = Array.from(
    value,
    ([key, member]) => `${stringRepr(key)}: ${pythonRepr(member)}`,
  );
  return `{${members.join(", ")}}`;
}

/**
 * Returns the rank of the code unit at `i` in code point order: a unit of a surrogate pair ranks above U+FFFF, and the
 * rank of any other unit is its value. The two strings to compare must be equal up to `i`.
 */
function rank(text: string, i: number): number {
  const unit = text.charCodeAt(i);
  return isPaired(text, i) ? unit + 0x10000 : unit;
}

function isPaired(text: string, i: number): boolean {
  const unit = text.charCodeAt(i);
  if (isHigh(unit)) return isLow(text.charCodeAt(i + 1));
  return isLow(unit) && i > 0 && isHigh(text.charCodeAt(i - 1));
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
