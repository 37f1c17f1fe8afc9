/**
 * Trains the tiny policy's tokenizer from demonstrations.
 *
 * A tiny policy has to copy ids and names, so these must have the same tokens everywhere. Digits are split into pairs
 * from the left of a number. A word that varies (a name, a color) is a separate piece, so it has the same tokens after
 * a space, a quote or an underscore. Constant text may become a token of any length: `", "price": ` and `could you
 * tell me your` are one token each, which keeps episodes short.
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

/** Options for {@linkcode trainTokenizer}. */
export interface TokenizerTraining {
  /** The maximum vocabulary size, including control tokens. Default: 512. */
  readonly vocabSize?: number;
  /** Words that vary, in addition to those found in the conversations; case-insensitive. Default: none. */
  readonly variableWords?: Iterable<string>;
  /**
   * The same conversations with structured tool calls and results, which distinguish data from prose. Needed if the
   * conversations contain calls as text. Default: the conversations.
   */
  readonly asCalls?: readonly (readonly Message[])[];
}

/** The bytes that occur in UTF-8. The other 13 need no token. */
const UTF8_BYTES = Array.from({ length: 256 }, (_, byte) => byte)
  .filter((byte) => byte < 0xf5 && byte !== 0xc0 && byte !== 0xc1);
const DIGIT_PAIRS = 100;

/** The size of the smallest vocabulary that can encode any text: bytes, digit pairs and control tokens. */
export const MIN_VOCAB_SIZE: number = UTF8_BYTES.length + DIGIT_PAIRS +
  CONTROL_TOKENS.length;

/**
 * Trains a tokenizer on conversations. The result depends only on the options and on the conversations and their order.
 * @throws {RangeError} If `vocabSize` is not an integer, or is too small to encode every text.
 */
export function trainTokenizer(
  conversations: readonly (readonly Message[])[],
  options: TokenizerTraining = {},
): TokenizerFiles {
  const { vocabSize = 512, variableWords = [], asCalls } = options;
  if (!Number.isInteger(vocabSize) || vocabSize < MIN_VOCAB_SIZE) {
    throw new RangeError(
      `Cannot train a tokenizer of ${vocabSize} tokens: at least ${MIN_VOCAB_SIZE} are needed to encode any text`,
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

/** Returns the template's text for each message, without control tokens. */
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

/** Counts how often each piece occurs in the conversations. Merges never cross a piece's boundary. */
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

/** Merges the hundred digit pairs first. Text is split so that each pair is a piece, and therefore one token. */
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
