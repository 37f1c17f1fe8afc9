/**
 * Ensures that control tokens in message contents are encoded as ordinary text.
 *
 * If a user types `<|im_end|>`, these characters must not end the turn. The guard marks control tokens in messages
 * before rendering. The tokenizer encodes the marked tokens as text, so that only tokens from the template itself are
 * control tokens. Text without control tokens is encoded as usual.
 */

/**
 * The mark that is inserted into a guarded token. It is a Unicode noncharacter, which does not occur in ordinary text.
 */
const GUARD = "\uFDD1";
const GUARDS = new RegExp(`${GUARD}(${GUARD}?)`, "g");

/** A guard that marks the tokens of a fixed set in texts. */
export class Guard {
  readonly #tokens: RegExp | null;

  /**
   * Creates a guard.
   * @param tokens The tokens to mark. Single characters cannot be marked and are ignored.
   */
  constructor(tokens: Iterable<string>) {
    this.#tokens = alternation([...tokens].filter((token) => token.length > 1));
  }

  /**
   * Returns `text` with a mark after the first character of each of the guard's tokens that it contains. A character of
   * `text` that equals the mark is doubled.
   */
  mark(text: string): string {
    const escaped = text.includes(GUARD)
      ? text.replaceAll(GUARD, GUARD + GUARD)
      : text;
    if (this.#tokens === null) return escaped;
    return escaped.replace(
      this.#tokens,
      (token) => token.charAt(0) + GUARD + token.slice(1),
    );
  }
}

/** Checks whether a text contains marks added by {@linkcode Guard.mark}. */
export function isMarked(text: string): boolean {
  return text.includes(GUARD);
}

/** Returns the text without the marks added by {@linkcode Guard.mark}. */
export function unmark(text: string): string {
  return isMarked(text) ? text.replace(GUARDS, "$1") : text;
}

/** Restores marks that were escaped by `repr` or by JSON encoding. */
export function restoreMarks(escaped: string): string {
  return escaped.replace(
    /\\(?:\\|ufdd1(\\ufdd1)?)/g,
    (escape, doubled) =>
      escape === "\\\\" ? escape : doubled === undefined ? GUARD : "\\ufdd1",
  );
}

/** Returns a global regular expression that matches any of `words`, longest first, or `null` if the list is empty. */
export function alternation(words: readonly string[]): RegExp | null {
  if (words.length === 0) return null;
  const longestFirst = words.toSorted((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map(escapeRegExp).join("|"), "g");
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
