/**
 * Trains the tiny policy's tokenizer from demonstrations.
 *
 * A tiny policy has to copy ids and names, so they must look the same wherever they stand: digits go by two
 * from the left of their run, and a word that varies (a name, a colour) has the same tokens after a space, a
 * quote or an underscore, since it is a piece of its own. What is always written the same may grow to any
 * length: `", "price": ` and `could you tell me your` become one token, which keeps episodes short.
 */

import { ChatTemplate } from "../../env/tokens/chat_template.ts";
import type { TokenizerFiles } from "../../env/tokens/tokenizer.ts";
import type { Message } from "../../env/types.ts";
import {
  BYTE_TEXTS,
  CHAT_TEMPLATE,
  CONTROL_TOKENS,
  END_TOKEN,
  isolatedPattern,
  tokenizerFiles,
} from "./tokenizer_files.ts";
import { learnSymbols, type Piece, SymbolTable } from "./tokenizer_merges.ts";
import {
  findConstantWords,
  type RenderedConversation,
} from "./tokenizer_words.ts";

/** Settings of {@linkcode trainTokenizer}. */
export interface TokenizerTraining {
  /** Tokens in all, control tokens among them. Default: 512. */
  readonly vocabSize?: number;
  /** Words that vary beyond those that the conversations show, in any case. Default: none. */
  readonly variableWords?: Iterable<string>;
  /**
   * The same conversations with calls and tools' answers as such, which tell what is data, where the
   * conversations hold them as text. Default: the conversations.
   */
  readonly asCalls?: readonly (readonly Message[])[];
}

/** Bytes that occur in UTF-8; the other 13 need no token. */
const UTF8_BYTES = Array.from({ length: 256 }, (_, byte) => byte)
  .filter((byte) => byte < 0xf5 && byte !== 0xc0 && byte !== 0xc1);
const DIGIT_PAIRS = 100;

/** The fewest tokens that round-trip any text: bytes, digit pairs, control tokens. */
export const MIN_VOCAB_SIZE: number = UTF8_BYTES.length + DIGIT_PAIRS +
  CONTROL_TOKENS.length;

/**
 * Trains a tokenizer on conversations; the same conversations in the same order give the same files.
 * @throws {RangeError} If `vocabSize` is too small to write every text.
 */
export function trainTokenizer(
  conversations: readonly (readonly Message[])[],
  options: TokenizerTraining = {},
): TokenizerFiles {
  const { vocabSize = 512, variableWords = [], asCalls } = options;
  if (!Number.isInteger(vocabSize) || vocabSize < MIN_VOCAB_SIZE) {
    throw new RangeError(
      `Cannot train a tokenizer of ${vocabSize} tokens: at least ${MIN_VOCAB_SIZE} are needed to write any text`,
    );
  }
  const rendered = render(conversations);
  const constant = findConstantWords(rendered, {
    variableWords,
    data: asCalls === undefined ? rendered : render(asCalls),
  });
  const pattern = isolatedPattern(constant);
  const table = new SymbolTable(
    UTF8_BYTES.map((byte) => BYTE_TEXTS[byte] ?? ""),
  );
  mergeDigits(table);
  const pieces = [...countPieces(rendered, pattern)].map(([text, count]) =>
    pieceOf(table, text, count)
  );
  learnSymbols(table, pieces, vocabSize - CONTROL_TOKENS.length);
  const { texts: vocabulary, merges } = table;
  return tokenizerFiles({ pattern, vocabulary, merges });
}

/** What the template writes for each message, without control tokens. */
function render(
  conversations: readonly (readonly Message[])[],
): RenderedConversation[] {
  const template = new ChatTemplate({
    source: CHAT_TEMPLATE,
    endToken: END_TOKEN,
  });
  return conversations.map((messages) =>
    messages.map((message) => ({
      message,
      text: message.role === "assistant"
        ? template.answer(message).slice(0, -END_TOKEN.length)
        : message.content,
    }))
  );
}

/** The pieces that merges stay within, and how often each occurs. */
function countPieces(
  conversations: readonly RenderedConversation[],
  pattern: string,
): Map<string, number> {
  const counts = new Map<string, number>();
  const isolated = new RegExp(`(${pattern})`, "gu");
  for (const { text } of conversations.flat()) {
    for (const piece of text.split(isolated)) {
      if (piece !== "") counts.set(piece, (counts.get(piece) ?? 0) + 1);
    }
  }
  return counts;
}

/** The hundred pairs of digits come first: the pieces are made so that each is one token. */
function mergeDigits(table: SymbolTable): void {
  for (const tens of "0123456789") {
    for (const units of "0123456789") {
      table.merge(table.id(tens), table.id(units));
    }
  }
}

const utf8 = new TextEncoder();

function pieceOf(
  table: SymbolTable,
  text: string,
  count: number,
): Piece {
  const symbols = Array.from(
    utf8.encode(text),
    (byte) => table.id(BYTE_TEXTS[byte] ?? ""),
  );
  return { symbols, count };
}
