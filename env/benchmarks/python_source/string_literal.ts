/**
 * The value of a Python string literal.
 *
 * @see The Python Language Reference, section 2.4.1.
 */

import { SHORT_ESCAPES } from "../../python/string_escapes.ts";

/** A literal taken apart. */
export interface StringParts {
  /** Lower case: `r`, `f`, `rb`, empty. */
  readonly prefix: string;
  /** Between the quotes, as written. */
  readonly body: string;
  /** Where the body begins in the literal. */
  readonly start: number;
}

const SHORT: Readonly<Record<string, string>> = {
  ...SHORT_ESCAPES,
  "\n": "",
};

/** Takes a literal apart. @throws {RangeError} If it is none. */
export function splitString(literal: string): StringParts {
  const match = /^([a-z]*)("""|'''|"|')([\s\S]*)\2$/i.exec(literal);
  if (match === null) throw new RangeError("no string literal");
  const [, prefix = "", quote = "", body = ""] = match;
  return {
    prefix: prefix.toLowerCase(),
    body,
    start: prefix.length + quote.length,
  };
}

/**
 * The text of a literal's body.
 * @param isRaw Whether backslashes stay.
 * @throws {RangeError} If it has an escape that names a character, or one that is cut short.
 */
export function decodeBody(body: string, isRaw: boolean): string {
  // Python reads every end of a line as a newline.
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
  if (code > 0x10ffff) throw new RangeError(`${escape} is no character`);
  return String.fromCodePoint(code);
}

/** Python leaves an escape that it does not know as it is. */
function unknownEscape(escape: string): string {
  if (/^\\[NxuU]/.test(escape)) {
    throw new RangeError(`the escape ${escape} cannot be read`);
  }
  return escape;
}
