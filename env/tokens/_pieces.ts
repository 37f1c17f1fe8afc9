/**
 * Byte-level BPE piece by piece: a text is split by the tokenizer's own pattern, and each piece (a word, a digit,
 * a run of signs) is encoded once, since most of what tools answer is made of pieces that were met before.
 */

import type { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { z } from "zod";

/** Where a piece's ids depend on nothing outside it: GPT-2's, Llama 3's and Qwen's tokenizers. */
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

/** Pieces that are kept, and the longest of them in UTF-16 units: at most about 20 MB. */
const MAX_PIECES = 65_536;
const MAX_PIECE_LENGTH = 32;

/**
 * What splits texts and keeps the ids of their pieces; `null` where the tokenizer is of another kind.
 * @param encode The ids of a piece.
 */
export function pieceEncoder(
  { pre_tokenizer }: HuggingFaceTokenizer,
  { json, encode }: {
    /** `tokenizer.json`, parsed. */
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
