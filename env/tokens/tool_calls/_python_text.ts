/** Python's view of text: what is white space, and where a JavaScript method would say otherwise. */

import { SPACES, trim } from "../../python/python_space.ts";

/** One character of white space, for regular expressions. */
export const PYTHON_SPACE = `[${SPACES}]`;

const SPACE = new RegExp(PYTHON_SPACE);

/** Whether a character is white space to Python. */
export function isPythonSpace(character: string): boolean {
  return SPACE.test(character);
}

/** `str.strip`. */
export const pythonStrip: (text: string) => string = trim;

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
