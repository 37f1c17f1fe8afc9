/**
 * Trains the tiny policy's tokenizer from demonstrations.
 *
 * A tiny policy has to copy ids and names, so they must look the same wherever they stand: digits go by two
 * from the left of their run, and a word that varies (a name, a colour) has the same tokens after a space, a
 * quote or an underscore. What does not vary may be long: `", "price": ` and `could you tell me your` become
 * one token, which keeps episodes short. So merges are learnt in two stages, the second of which never
 * crosses the edge of a word that varies:
 *
 * 1. within words, and within what is between words;
 * 2. across whole words and what is between them.
 *
 * @module
 */

import { ChatTemplate } from "../../env/tokens/chat_template.ts";
import type { TokenizerFiles } from "../../env/tokens/tokenizer.ts";
import type { Message } from "../../env/types.ts";
import {
  BYTE_TEXTS,
  CHAT_TEMPLATE,
  CONTROL_TOKENS,
  DIGITS,
  END_TOKEN,
  tokenizerFiles,
} from "./tokenizer_files.ts";
import {
  learnMerges,
  type SymbolSequence,
  SymbolTable,
  totalSymbols,
} from "./tokenizer_merges.ts";
import {
  findVariableWords,
  type RenderedConversation,
  wordsOf,
} from "./tokenizer_words.ts";

/** Settings of {@linkcode trainTokenizer}. */
export interface TokenizerTraining {
  /** Tokens in all, control tokens among them. Default: 512. */
  readonly vocabSize?: number;
  /** Words that vary beyond those that the conversations show, in any case. Default: none. */
  readonly variableWords?: Iterable<string>;
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
  const { vocabSize = 512, variableWords = [] } = options;
  if (!Number.isInteger(vocabSize) || vocabSize < MIN_VOCAB_SIZE) {
    throw new RangeError(
      `Cannot train a tokenizer of ${vocabSize} tokens: at least ${MIN_VOCAB_SIZE} are needed to write any text`,
    );
  }
  const rendered = render(conversations);
  const variable = findVariableWords(rendered);
  for (const word of variableWords) variable.add(word.toLowerCase());
  const corpus = countRuns(rendered);
  const budget = vocabSize - MIN_VOCAB_SIZE;
  const inWords = bestShare(corpus, variable, budget);
  const { table } = learn(corpus, variable, { budget, inWords });
  return tokenizerFiles({ vocabulary: table.texts, merges: table.merges });
}

/** Writes `tokenizer.json` and `tokenizer_config.json`, as `loadTokenizer` reads them. */
export async function writeTokenizer(
  dir: string,
  files: TokenizerFiles,
): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
  const json = (value: unknown) => JSON.stringify(value, null, 1) + "\n";
  await Deno.writeTextFile(`${dir}/tokenizer.json`, json(files.tokenizer));
  await Deno.writeTextFile(`${dir}/tokenizer_config.json`, json(files.config));
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

/** What is between digits, and how often. */
function countRuns(
  conversations: readonly RenderedConversation[],
): Map<string, number> {
  const counts = new Map<string, number>();
  const digits = new RegExp(DIGITS, "g");
  for (const { text } of conversations.flat()) {
    for (const run of text.split(digits)) {
      if (run !== "") counts.set(run, (counts.get(run) ?? 0) + 1);
    }
  }
  return counts;
}

interface Learning {
  /** Merges in all. */
  readonly budget: number;
  /** Merges within words and within what is between them; the rest go across. */
  readonly inWords: number;
}

function learn(
  corpus: ReadonlyMap<string, number>,
  variable: ReadonlySet<string>,
  { budget, inWords }: Learning,
): { table: SymbolTable; total: number } {
  const table = new SymbolTable(
    UTF8_BYTES.map((byte) => BYTE_TEXTS[byte] ?? ""),
  );
  mergeDigits(table);
  const atoms = new Map<string, SymbolSequence>();
  for (const [run, count] of corpus) {
    for (const atom of atomsOf(run)) {
      const seen = atoms.get(atom)?.count ?? 0;
      atoms.set(atom, sequenceOf(table, atom, seen + count));
    }
  }
  const learnt = learnMerges(table, [...atoms.values()], inWords);
  const runs = [...corpus].map(([run, count]) =>
    joinAtoms(run, { atoms, variable, count })
  );
  learnMerges(table, runs, budget - learnt);
  return { table, total: totalSymbols(runs) };
}

function mergeDigits(table: SymbolTable): void {
  for (const tens of "0123456789") {
    for (const units of "0123456789") {
      table.merge(table.id(tens), table.id(units));
    }
  }
}

const utf8 = new TextEncoder();

function sequenceOf(
  table: SymbolTable,
  text: string,
  count: number,
): SymbolSequence {
  const symbols = Array.from(
    utf8.encode(text),
    (byte) => table.id(BYTE_TEXTS[byte] ?? ""),
  );
  const barred = new Array<boolean>(Math.max(0, symbols.length - 1))
    .fill(false);
  return { symbols, barred, count };
}

/** A run's words and what is between them, in order. */
function atomsOf(run: string): string[] {
  return run.match(/[\p{L}\p{M}]+|[^\p{L}\p{M}]+/gu) ?? [];
}

/** A run in the symbols of its atoms; barred within words and at the edges of words that vary. */
function joinAtoms(
  run: string,
  { atoms, variable, count }: {
    readonly atoms: ReadonlyMap<string, SymbolSequence>;
    readonly variable: ReadonlySet<string>;
    readonly count: number;
  },
): SymbolSequence {
  const symbols: number[] = [];
  const barred: boolean[] = [];
  for (const atom of atomsOf(run)) {
    const isWord = wordsOf(atom).length > 0;
    const varies = isWord && variable.has(atom.toLowerCase());
    if (barred.length > 0 && varies) barred[barred.length - 1] = true;
    for (const symbol of atoms.get(atom)?.symbols ?? []) {
      symbols.push(symbol);
      barred.push(isWord);
    }
    barred[barred.length - 1] = varies;
  }
  barred.pop();
  return { symbols, barred, count };
}

/** Shares of the merges that the first stage may get; which is best depends on the vocabulary and the world. */
const SHARES = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7];

/** How many merges within words give the fewest tokens. */
function bestShare(
  corpus: ReadonlyMap<string, number>,
  variable: ReadonlySet<string>,
  budget: number,
): number {
  let best = { inWords: 0, total: Infinity };
  for (const share of SHARES) {
    const inWords = Math.round(budget * share);
    const { total } = learn(corpus, variable, { budget, inWords });
    if (total < best.total) best = { inWords, total };
  }
  return best.inWords;
}
