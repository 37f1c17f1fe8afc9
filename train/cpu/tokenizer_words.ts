/** Finds the words that vary: what a policy has to copy, as against what it can learn by heart. */

import { DataError } from "../../env/errors.ts";
import {
  type JsonValue,
  parsePythonJson,
} from "../../env/python/python_json.ts";
import type { Message } from "../../env/types.ts";

/** The words of a text: runs of letters. */
function wordsOf(text: string): readonly string[] {
  return text.match(/[\p{L}\p{M}]+/gu) ?? [];
}

/** A conversation's messages with the text that the template writes for each. */
export type RenderedConversation = readonly {
  readonly message: Message;
  readonly text: string;
}[];

/** A word varies if at least this share of its occurrences are data; `or` is a state too, but mostly it is not. */
const MIN_DATA_SHARE = 0.2;
/** A word in the data of more than this share of the conversations is a constant of the world: `usa`. */
const MAX_CONVERSATION_SHARE = 0.5;
/** So few conversations are too few to tell a constant by. */
const FEW_CONVERSATIONS = 10;

/** A word that is rarer is not worth telling apart. */
const MIN_OCCURRENCES = 5;
/** The regular expression of the pieces names each word, so there are not more than this. */
const MAX_WORDS = 1000;

/**
 * The words that a policy can learn by heart, the most frequent first: those that occur often and do not vary.
 *
 * A word varies if users say it and it is data in what tools answer or are called with, or if it is part
 * of an identifier (`mei_ito_1234`), unless it is mostly not data or data everywhere.
 * @param options.variableWords Words that vary beyond those, in any case.
 * @param options.data Where the words' uses are looked up: the conversations with calls and answers as such.
 */
export function findConstantWords(
  conversations: readonly RenderedConversation[],
  { variableWords, data }: {
    readonly variableWords: Iterable<string>;
    readonly data: readonly RenderedConversation[];
  },
): string[] {
  const uses = new Map<string, WordUse>();
  const counts = new Map<string, number>();
  for (const conversation of data) countUses(uses, conversation);
  for (const conversation of conversations) {
    for (const word of conversation.flatMap(({ text }) => wordsOf(text))) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  const most = Math.max(
    FEW_CONVERSATIONS,
    data.length * MAX_CONVERSATION_SHARE,
  );
  const given = new Set(
    Array.from(variableWords, (word) => word.toLowerCase()),
  );
  return [...counts]
    .filter(([word, count]) =>
      count >= MIN_OCCURRENCES && !given.has(word.toLowerCase()) &&
      !varies(uses.get(word.toLowerCase()), most)
    )
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, MAX_WORDS)
    .map(([word]) => word);
}

function varies(use: WordUse | undefined, mostConversations: number): boolean {
  if (use === undefined || use.asData === 0) return false;
  return (use.said || use.inIdentifier) &&
    use.asData >= MIN_DATA_SHARE * use.total &&
    use.conversations <= mostConversations;
}

/** What a word is used for. */
interface WordUse {
  /** Whether a user says it. */
  said: boolean;
  inIdentifier: boolean;
  /** Occurrences as data, and in all. */
  asData: number;
  total: number;
  /** Conversations in which it is data. */
  conversations: number;
}

function countUses(
  words: Map<string, WordUse>,
  conversation: RenderedConversation,
): void {
  const here = new Set<WordUse>();
  for (const { message, text } of conversation) {
    for (const use of usesIn(words, text)) {
      use.total++;
      use.said ||= message.role === "user";
    }
    for (const value of valuesOf(message)) {
      for (const use of usesIn(words, value)) {
        use.asData++;
        use.inIdentifier ||= isIdentifier(value);
        here.add(use);
      }
    }
  }
  for (const use of here) use.conversations++;
}

/** The counters of each word of a text. */
function usesIn(words: Map<string, WordUse>, text: string): WordUse[] {
  return wordsOf(text).map((word) => {
    const key = word.toLowerCase();
    let use = words.get(key);
    if (use === undefined) {
      use = {
        said: false,
        inIdentifier: false,
        asData: 0,
        total: 0,
        conversations: 0,
      };
      words.set(key, use);
    }
    return use;
  });
}

/** One word with a digit in it. */
function isIdentifier(text: string): boolean {
  return /^\S*[0-9]\S*$/.test(text);
}

/** The strings that a message carries as data: in a tool's answer, in the arguments of a call. */
function valuesOf(message: Message): string[] {
  const out: string[] = [];
  if (message.role === "tool") {
    collectStrings(parseOrText(message.content), out);
  } else if (message.role === "assistant") {
    for (const call of message.toolCalls ?? []) {
      collectStrings(call.arguments, out);
    }
  }
  return out;
}

/** A tool's answer as data; one that is no JSON is a bare identifier or prose, and prose is no data. */
function parseOrText(text: string): JsonValue {
  if (isIdentifier(text)) return text;
  try {
    return parsePythonJson(text);
  } catch (error) {
    if (error instanceof DataError) return null;
    throw error;
  }
}

function collectStrings(value: JsonValue, out: string[]): void {
  if (typeof value === "string") out.push(value);
  else if (Array.isArray(value)) {
    for (const member of value) collectStrings(member, out);
  } else if (value instanceof Map) {
    for (const member of value.values()) collectStrings(member, out);
  }
}
