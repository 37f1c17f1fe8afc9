/**
 * Implements byte-level BPE with a cache. The tokenizer's pattern splits a text into pieces, such as words, digits and
 * runs of punctuation. Pieces are cached with their ids, because most pieces in tool results have occurred before.
 */

import type { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { z } from "zod";

/** Matches a `tokenizer.json` whose tokenizer encodes each piece independently, such as that of Llama 3 or Qwen. */
const byteLevelBpe = z.looseObject({
  pre_tokenizer: z.looseObject({
    type: z.literal("Sequence"),
    pretokenizers: z.tuple([
      z.looseObject({
        type: z.literal("Split"),
        behavior: z.literal("Isolated"),
        invert: z.literal(false),
      }),
      z.looseObject({
        type: z.literal("ByteLevel"),
        add_prefix_space: z.literal(false),
        use_regex: z.literal(false),
      }),
    ]),
  }),
  model: z.looseObject({ type: z.literal("BPE") }),
});

interface Splitter {
  pre_tokenize(text: string): string[];
}

/** Maximum number of cached pieces. The cache takes at most about 20 MB of memory. */
const MAX_PIECES = 65_536;
/** Maximum length of a cached piece, in UTF-16 code units. */
const MAX_PIECE_LENGTH = 32;

/**
 * Creates an encoder that splits a text into pieces and caches their ids. Returns `null` if the tokenizer does not
 * encode pieces independently.
 * @param encode Encodes one piece.
 */
export function pieceEncoder(
  { pre_tokenizer }: HuggingFaceTokenizer,
  { json, encode }: {
    /** The parsed `tokenizer.json`. */
    readonly json: unknown;
    readonly encode: (piece: string) => readonly number[];
  },
): ((normal: string) => number[]) | null {
  if (pre_tokenizer === null || !byteLevelBpe.safeParse(json).success) {
    return null;
  }
  const { tokenizers: [splitter] } = pre_tokenizer as unknown as {
    readonly tokenizers: readonly [Splitter, Splitter];
  };
  const known = new Map<string, readonly number[]>();
  function idsOf(piece: string): readonly number[] {
    const ids = encode(piece);
    if (piece.length <= MAX_PIECE_LENGTH && known.size < MAX_PIECES) {
      known.set(piece, ids);
    }
    return ids;
  }
  return (normal) => {
    const ids: number[] = [];
    for (const piece of splitter.pre_tokenize(normal)) {
      for (const id of known.get(piece) ?? idsOf(piece)) ids.push(id);
    }
    return ids;
  };
}
