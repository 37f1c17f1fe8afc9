/**
 * Checks quickly whether a text may fit in a context. Tokenizing megabytes of text to check this would take seconds.
 */

/**
 * An upper bound on the average number of characters per token. JSON and text in any language have 1 to 6 characters
 * per token. Only long runs of white space exceed the bound.
 */
const MAX_CHARACTERS_PER_TOKEN = 16;

/**
 * Checks whether a text may fit. If the result is `false`, the text is too long, unless it contains long runs of white
 * space.
 * @param length Length of the text in UTF-16 code units.
 * @param tokens Number of available tokens.
 */
export function mayFit(length: number, tokens: number): boolean {
  return length <= tokens * MAX_CHARACTERS_PER_TOKEN;
}
