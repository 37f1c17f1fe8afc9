/** A quick check of whether a text may fit in a context, since tokenizing megabytes of text would take seconds. */

/**
 * An upper bound on the number of characters per token. Text in any language and JSON have 1 to 6; only long runs of
 * white space have more than 16.
 */
const MAX_CHARACTERS_PER_TOKEN = 16;

/**
 * Checks whether a text may fit. If not, it is certainly too long, unless it contains long runs of white space.
 * @param length Length of the text in UTF-16 code units.
 * @param tokens Number of available tokens.
 */
export function mayFit(length: number, tokens: number): boolean {
  return length <= tokens * MAX_CHARACTERS_PER_TOKEN;
}
