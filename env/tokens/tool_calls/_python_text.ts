/** Implements text functions for the parsers of tool calls, with Python's definition of white space. */

import { SPACES, trim } from "../../python/python_space.ts";

/** The source of a regular expression that matches one white space character. */
export const PYTHON_SPACE = `[${SPACES}]`;

const SPACE = new RegExp(PYTHON_SPACE);

/** Checks whether a character is white space in Python. */
export function isPythonSpace(character: string): boolean {
  return SPACE.test(character);
}

/** Strips white space as Python's `str.strip` does. */
export const pythonStrip: (text: string) => string = trim;

/**
 * Returns the blocks of text between each `start` and the next `end`.
 * @returns The blocks, in order. If the last `start` has no `end`, its block extends to the end of `text` and has
 * `isOpen` set.
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
