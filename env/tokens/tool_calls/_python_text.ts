/** Python's view of text: what is white space, and where a JavaScript method would say otherwise. */

/** What `str.isspace` and `\s` take; JavaScript's differ in U+001C–U+001F, U+0085 and U+FEFF. */
export const PYTHON_SPACE =
  "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";

const LEADING_SPACE = new RegExp(`^${PYTHON_SPACE}+`);
const SPACE = new RegExp(PYTHON_SPACE);

/** Whether a character is white space to Python. */
export function isPythonSpace(character: string): boolean {
  return SPACE.test(character);
}

/** `str.strip`. */
export function pythonStrip(text: string): string {
  const start = LEADING_SPACE.exec(text)?.[0].length ?? 0;
  let end = text.length;
  while (end > start && isPythonSpace(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/**
 * The texts between each `start` and the nearest `end` after it, one after the other.
 * @returns The last one `isOpen` where no end follows; it reaches to the text's end.
 */
export function blocksBetween(
  text: string,
  start: string,
  end: string,
): { readonly body: string; readonly isOpen: boolean }[] {
  const blocks: { body: string; isOpen: boolean }[] = [];
  for (let at = text.indexOf(start); at >= 0;) {
    const from = at + start.length;
    const to = text.indexOf(end, from);
    if (to < 0) {
      blocks.push({ body: text.slice(from), isOpen: true });
      return blocks;
    }
    blocks.push({ body: text.slice(from, to), isOpen: false });
    at = text.indexOf(start, to + end.length);
  }
  return blocks;
}
