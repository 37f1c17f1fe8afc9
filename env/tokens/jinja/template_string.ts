/** Unescapes string literals in templates as Python does. */

import { SHORT_ESCAPES } from "../../python/string_escapes.ts";
import { syntaxError } from "./template_error.ts";

const ESCAPE =
  /\\(?:(\n)|([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([^]?))/g;

/**
 * Unescapes the contents of a string literal. Unknown escapes are left unchanged.
 * @throws {JinjaError} If an escape is incomplete, specifies an invalid character, or names a character (`\N{…}`),
 * which is not supported.
 */
export function unescapeString(body: string, line: number): string {
  if (!body.includes("\\")) return body;
  return body.replace(
    ESCAPE,
    (whole, newline, octal, x, u, wide, short: string) => {
      if (newline !== undefined) return "";
      if (octal !== undefined) return String.fromCodePoint(parseInt(octal, 8));
      const hex = x ?? u ?? wide;
      if (hex !== undefined) return codePoint(hex, line);
      if ("xuUN".includes(short)) {
        throw syntaxError(
          `can't decode the escape '\\${short}' in a string`,
          line,
        );
      }
      return SHORT_ESCAPES[short] ?? whole;
    },
  );
}

function codePoint(hex: string, line: number): string {
  const code = parseInt(hex, 16);
  if (code <= 0x10ffff) return String.fromCodePoint(code);
  throw syntaxError("illegal Unicode character in a string", line);
}
