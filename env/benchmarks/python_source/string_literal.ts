/**
 * Parses Python string literals.
 *
 * @see The Python Language Reference, section 2.4.1.
 */

import { SHORT_ESCAPES } from "../../python/string_escapes.ts";

/** The parts of a string literal. */
export interface StringParts {
  /** The prefix in lower case, such as `r`, `f` or `rb`; empty if there is none. */
  readonly prefix: string;
  /** The text between the quotes, with escapes that are not yet decoded. */
  readonly body: string;
  /** The index of the body in the literal. */
  readonly start: number;
}

const SHORT: Readonly<Record<string, string>> = {
  ...SHORT_ESCAPES,
  "\n": "",
};

/**
 * Splits a string literal into its parts.
 * @throws {RangeError} If `literal` is not a string literal.
 */
export function splitString(literal: string): StringParts {
  const match = /^([a-z]*)("""|'''|"|')([\s\S]*)\2$/i.exec(literal);
  if (match === null) throw new RangeError("the text is not a string literal");
  const [, prefix = "", quote = "", body = ""] = match;
  return {
    prefix: prefix.toLowerCase(),
    body,
    start: prefix.length + quote.length,
  };
}

/**
 * Decodes the escapes in a literal's body.
 * @param isRaw Whether to keep backslashes, as in `r"…"`.
 * @throws {RangeError} If the body contains a named escape (`\N{…}`), an incomplete escape, or an escape above
 * U+10FFFF.
 */
export function decodeBody(body: string, isRaw: boolean): string {
  // Python normalizes every line ending to a newline.
  const text = body.replaceAll(/\r\n?/g, "\n");
  if (isRaw) return text;
  return text.replaceAll(
    /\\(?:([\\'"abfnrtv\n])|([0-7]{1,3})|(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))|([\s\S]))/g,
    (escape, short?: string, octal?: string, ...rest: unknown[]) => {
      if (short !== undefined) return SHORT[short] ?? escape;
      if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8));
      const hex = rest.slice(0, 3).find((digits) => digits !== undefined);
      return typeof hex === "string"
        ? fromHex(hex, escape)
        : unknownEscape(escape);
    },
  );
}

function fromHex(hex: string, escape: string): string {
  const code = parseInt(hex, 16);
  if (code > 0x10ffff) {
    throw new RangeError(`${escape} is not a valid character`);
  }
  return String.fromCodePoint(code);
}

/**
 * Returns an unknown escape unchanged, as Python does.
 * @throws {RangeError} If the escape is named (`\N{…}`) or incomplete.
 */
function unknownEscape(escape: string): string {
  if (/^\\[NxuU]/.test(escape)) {
    throw new RangeError(`the escape ${escape} is not supported`);
  }
  return escape;
}
