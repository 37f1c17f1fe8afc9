/** Whether a text can fit into a context, before it is tokenized: to count the tokens of megabytes takes seconds. */

/** Text of any language and JSON have 1 to 6 characters a token; only long runs of white space have more than this. */
const MOST_CHARACTERS = 16;

/** @param length Of the text, in UTF-16 units. @param tokens That there is room for. */
export function mayFit(length: number, tokens: number): boolean {
  return length <= tokens * MOST_CHARACTERS;
}
