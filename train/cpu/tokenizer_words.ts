/** Separates the words that vary, which a policy has to copy, from the words that it can memorize. */

import { DataError } from "../../env/errors.ts";
import {
  type JsonValue,
  parsePythonJson,
} from "../../env/python/python_json.ts";
import type { Message } from "../../env/types.ts";

/** Returns the words in a text. A word is a run of letters. */
function wordsOf(text: string): readonly string[] {
  return text.match(/[\p{L}\p{M}]+/gu) ?? [];
}

/** A conversation's messages, each with its text in the template. */
export type RenderedConversation = readonly {
  readonly message: Message;
  readonly text: string;
}[];

/**
 * A word counts as varying only if at least this share of its occurrences is data. For example, "or" is sometimes data,
 * as the code for a state, but is usually an ordinary word.
 */
const MIN_DATA_SHARE = 0.2;
/**
 * A word counts as varying only if it is data in at most this share of the conversations. A word that is data in more
 * of them, such as `usa`, is a constant of the world.
 */
const MAX_CONVERSATION_SHARE = 0.5;
/** A varying word may be data in up to this many conversations, regardless of {@linkcode MAX_CONVERSATION_SHARE}. */
const FEW_CONVERSATIONS = 10;

/** The minimum number of occurrences for a word to count as constant. */
const MIN_OCCURRENCES = 5;
/** The maximum number of constant words, because the regular expression for the pieces lists each of them. */
const MAX_WORDS = 1000;

/**
 * Returns the words that a policy can memorize, the most frequent first: words that occur often and do not vary.
 *
 * A word varies if it occurs as data in tool results or tool arguments, and users also say it or it is part of an
 * identifier (`mei_ito_1234`). Exceptions are words that are rarely data, and words that are data in most
 * conversations.
 * @param options.variableWords Additional words that vary, case-insensitive.
 * @param options.data The conversations in which to look up the uses of words, with structured tool calls and results.
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

/** How often and where a word is used. */
interface WordUse {
  /** Whether a user says the word. */
  said: boolean;
  inIdentifier: boolean;
  /** The number of occurrences as data. */
  asData: number;
  /** The total number of occurrences. */
  total: number;
  /** The number of conversations in which the word is data. */
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

/** Returns the {@linkcode WordUse} of each word in a text. */
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

/** Checks whether a string contains a digit and no white space. */
function isIdentifier(text: string): boolean {
  return /^\S*[0-9]\S*$/.test(text);
}

/** Returns the strings that are data in a message: those in a tool result or in the arguments of a call. */
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

/**
 * Parses a tool result as data. A bare identifier is a string. Any other text that is not JSON is prose, which is not
 * data, and becomes `null`.
 */
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
