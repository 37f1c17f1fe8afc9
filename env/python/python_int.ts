/** Python's `int(text)`: digits of any script, underscores between them, Python's own white space around. */

import { ToolError } from "../errors.ts";
import { stringRepr } from "./python_repr.ts";
import { normalInt } from "./python_value.ts";
import { isPrintable } from "./unicode_printable.ts";

/**
 * `int(text)` in base 10.
 * @throws {ToolError} As `ValueError`, if the text is no int.
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

/** After {@linkcode asciiOf}, so nothing beyond ASCII is white space here. */
const INT = /^[ \t-\r]*([+-]?\d+(?:_\d+)*)[ \t-\r]*$/;

/** White space beyond ASCII: U+0085 is, U+FEFF and the separators U+001C to U+001F are not. */
const SPACE = /^[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

const DIGIT = /^\p{Nd}$/u;

/** What a character stands for: a digit of its script, a space, or itself. */
function asciiOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return character;
  if (SPACE.test(character)) return " ";
  // The engine knows digits of a newer Unicode than Python does.
  return DIGIT.test(character) && isPrintable(code) ? digitOf(code) : "?";
}

/** The digits of a script lie side by side, 0 first; those of the mathematical alphabets follow each other in tens. */
function digitOf(code: number): string {
  let zero = code;
  while (DIGIT.test(String.fromCodePoint(zero - 1))) zero--;
  return String((code - zero) % 10);
}
