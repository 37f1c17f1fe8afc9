/** Provides texts that different tokenizers may split differently. */

import fc from "fast-check";

/** Returns random texts with all kinds of characters that tokenizers treat specially. */
export function arbitraryTexts(): string[] {
  const part = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }),
    fc.string(),
    fc.constantFrom(
      ..."'s|'S|'ſ|'re|'LL| |  |\t|\n|\r\n|\n\n|\u0085|\ufeff|\u2028|\u3000|\0"
        .split("|"),
      ..."e\u0301|\u1e9b\u0323|각|ᄀ|ᅡ|ﬁ|Å|\u0344|\u{1d15e}|👩‍👩‍👧|١٢|Ⅷ|½|🇧🇪"
        .split("|"),
      ..."<|im_start|>~<|im_end|>~<tool_call>~</tool_call>~<think>~<|im_~_end|>~<"
        .split("~"),
      '{"total": -12.50, "id": "#W1234567"}',
    ),
  );
  const text = fc.array(part, { maxLength: 10 }).map((parts) => parts.join(""));
  return fc.sample(text, { numRuns: 4000, seed: 4 })
    .filter((one) => !one.includes(GUARD_CHARACTER));
}

/**
 * The noncharacter that encoders use as a guard. Texts must not contain it, because encoders do not treat it as plain
 * text.
 */
const GUARD_CHARACTER = "\uFDD1";

/**
 * Returns one text for each combining mark, next to characters with which normalization may reorder or compose it, and
 * one text for each other character that normalization decomposes. Excludes Hangul syllables, and characters below
 * U+0080 or above U+1FFFF.
 */
export function markTexts(): string[] {
  const texts: string[] = [];
  for (let code = 0x80; code < 0x20000; code++) {
    const one = String.fromCodePoint(code);
    const parts = one.normalize("NFD");
    if (/\p{M}/u.test(one)) {
      texts.push(`e\u0301${one}\u0323e${one}\u0301 a\u094d${one}\u093c!${one}`);
    } else if (parts.length > one.length && !/[가-힣]/.test(one)) {
      texts.push(`${one} ${parts} ${parts}\u0323`);
    }
  }
  return texts;
}
