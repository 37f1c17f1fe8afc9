/**
 * Implements Python's `int(text)`, which accepts digits of any script, underscores between digits, and surrounding
 * white space.
 */

import { ToolError } from "../errors.ts";
import { stringRepr } from "./python_repr.ts";
import { normalInt } from "./python_value.ts";
import { isPrintable } from "./unicode_printable.ts";

/**
 * Parses an int in base 10, as Python's `int(text)` does.
 * @throws {ToolError} If the text is not an int, with Python's `ValueError` message.
 * @see CPython 3.11, Objects/unicodeobject.c, `_PyUnicode_TransformDecimalAndSpaceToASCII`.
 */
export function parseInt10(text: string): number | bigint {
  let plain = "";
  for (const character of text) plain += asciiOf(character);
  const digits = INT.exec(plain)?.[1];
  if (digits !== undefined) {
    return normalInt(BigInt(digits.replace(/[_+]/g, "")));
  }
  throw new ToolError(
    `invalid literal for int() with base 10: ${stringRepr(text)}`,
  );
}

/** Matches an int, optionally surrounded by white space, in text that {@linkcode asciiOf} has converted. */
const INT = /^[ \t-\r]*([+-]?\d+(?:_\d+)*)[ \t-\r]*$/;

/** Matches white space outside ASCII. Unlike in JavaScript, this includes U+0085, but not U+FEFF. */
const SPACE = /^[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

const DIGIT = /^\p{Nd}$/u;

/**
 * Maps a digit of any script to the ASCII digit with the same value, other white space to a space, and any other
 * character outside ASCII to `?`. Returns ASCII characters unchanged.
 */
function asciiOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return character;
  if (SPACE.test(character)) return " ";
  // The engine supports a newer Unicode version, with more digits, than Python does.
  return DIGIT.test(character) && isPrintable(code) ? digitOf(code) : "?";
}

/**
 * Converts a digit of any script to the ASCII digit with the same value. In each script, the digits 0 to 9 are
 * consecutive. The mathematical digits form several consecutive groups of ten.
 */
function digitOf(code: number): string {
  let zero = code;
  while (DIGIT.test(String.fromCodePoint(zero - 1))) zero--;
  return String((code - zero) % 10);
}
