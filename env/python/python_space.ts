/** Implements string functions with Python's definition of white space, as in `str.isspace` and the `\s` of `re`. */

/**
 * Python's white space, for a character class of a regular expression. JavaScript's `\s` differs in U+001C–U+001F,
 * U+0085 and U+FEFF.
 */
export const SPACES =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const SPACE = new RegExp(`[${SPACES}]`);

/** Checks whether the UTF-16 code unit at `at` is white space in Python. */
export function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code >= 0x80) return SPACE.test(text.charAt(at));
  return code === 32 || (code >= 9 && code <= 13) ||
    (code >= 0x1c && code <= 0x1f);
}

/** Implements Python's `text.rstrip()`. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text, end - 1)) end--;
  return text.slice(0, end);
}

/** Implements Python's `text.strip()`. */
export function trim(text: string): string {
  const end = trimEnd(text);
  return end.slice(leadingSpaces(end));
}

/** Returns the length of a string's leading white space. */
export function leadingSpaces(text: string): number {
  let at = 0;
  while (at < text.length && isSpace(text, at)) at++;
  return at;
}
