/**
 * Keeps control tokens that someone wrote into a message from becoming control tokens.
 *
 * A user who types `<|im_end|>` has typed ten characters, not ended the turn. Before a message is
 * rendered, such words in it are marked; when the rendered text is encoded, marked words are text, and
 * only what the template itself wrote is control. A text without such words is encoded as ever.
 */

/** Stands within a word that must not become a control token. A noncharacter, so it is not met in text. */
const GUARD = "\uFDD1";
const GUARDS = new RegExp(`${GUARD}(${GUARD}?)`, "g");

/** Marks every one of a fixed set of control tokens in texts. */
export class Guard {
  readonly #tokens: RegExp | null;

  /** @param tokens The words to mark; those of a single character cannot be and stay as they are. */
  constructor(tokens: Iterable<string>) {
    this.#tokens = alternation([...tokens].filter((token) => token.length > 1));
  }

  /** `text` with the guard after the first character of every control token in it. */
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

/** Whether a text went through {@linkcode Guard.mark} and has a mark in it. */
export function isMarked(text: string): boolean {
  return text.includes(GUARD);
}

/** The text as it was before {@linkcode Guard.mark}. */
export function unmark(text: string): string {
  return isMarked(text) ? text.replace(GUARDS, "$1") : text;
}

/** A text whose marks were spelled out where `repr` or JSON escaped it, with marks again. */
export function restoreMarks(escaped: string): string {
  return escaped.replace(
    /\\(?:\\|ufdd1(\\ufdd1)?)/g,
    (escape, doubled) =>
      escape === "\\\\" ? escape : doubled === undefined ? GUARD : "\\ufdd1",
  );
}

/** Matches the longest of `words` at a place; `null` if there are none. */
export function alternation(words: readonly string[]): RegExp | null {
  if (words.length === 0) return null;
  const longestFirst = words.toSorted((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map(escapeRegExp).join("|"), "g");
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
