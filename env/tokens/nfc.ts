/**
 * Normalizes text to NFC as Hugging Face's tokenizers do.
 *
 * These tokenizers use the tables of Unicode 9. The runtime's newer tables also reorder and compose characters that
 * were added later. With the newer tables, a text's ids could differ from those in the inference engine.
 *
 * @see huggingface/tokenizers, `tokenizers/src/normalizers/unicode.rs` (the crate unicode-normalization-alignments).
 * The list of characters was found by comparing the results of tokenizers 0.22.2 with those of Unicode 17 for every
 * code point.
 */

/** Ranges of characters, `[first, last]`, that only versions later than Unicode 9 reorder, compose or decompose. */
const LATER: readonly (readonly [number, number])[] = [
  [0x7fd, 0x7fd],
  [0x897, 0x89f],
  [0x8ca, 0x8d3],
  [0x9fe, 0x9fe],
  [0xc3c, 0xc3c],
  [0xd3b, 0xd3c],
  [0xeba, 0xeba],
  [0x1715, 0x1715],
  [0x1abf, 0x1ace],
  [0x1df6, 0x1dfa],
  [0xa82c, 0xa82c],
  [0x105c9, 0x105c9],
  [0x105d2, 0x105d2],
  [0x105da, 0x105da],
  [0x105e4, 0x105e4],
  [0x10d24, 0x10d27],
  [0x10d69, 0x10d6d],
  [0x10eab, 0x10eac],
  [0x10efd, 0x10eff],
  [0x10f46, 0x10f50],
  [0x10f82, 0x10f85],
  [0x11070, 0x11070],
  [0x1133b, 0x1133b],
  [0x11382, 0x11391],
  [0x113b8, 0x113d0],
  [0x1145e, 0x1145e],
  [0x11839, 0x1183a],
  [0x11930, 0x11943],
  [0x119e0, 0x119e0],
  [0x11a34, 0x11a34],
  [0x11a47, 0x11a47],
  [0x11a99, 0x11a99],
  [0x11d42, 0x11d45],
  [0x11d97, 0x11d97],
  [0x11f41, 0x11f42],
  [0x1611e, 0x1612f],
  [0x16d63, 0x16d6a],
  [0x16ff0, 0x16ff1],
  [0x1e08f, 0x1e08f],
  [0x1e130, 0x1e136],
  [0x1e2ae, 0x1e2ae],
  [0x1e2ec, 0x1e2ef],
  [0x1e4ec, 0x1e4ef],
  [0x1e5ee, 0x1e5ef],
];

const RANGES = LATER.map(([first, last]) =>
  `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`
).join("");
const RUN = new RegExp(`[^${RANGES}]+`, "gu");

/**
 * Normalizes `text` to form C of Unicode 9. Newer characters stay unchanged, and no characters are reordered across
 * them.
 */
export function normalizeNfc(text: string): string {
  const normal = text.normalize("NFC");
  // Text that is normalized according to the newer tables is also normalized according to the older tables.
  if (normal === text) return text;
  return text.replace(RUN, (run) => run.normalize("NFC"));
}
