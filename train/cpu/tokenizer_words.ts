/**
 * Finds the words that vary: what a policy has to copy, as against what it can learn by heart.
 *
 * @module
 */

import { DataError } from "../../env/errors.ts";
import { type JsonValue, parsePythonJson } from "../../env/python_json.ts";
import type { Message } from "../../env/types.ts";

/** The words of a text: runs of letters. */
export function wordsOf(text: string): readonly string[] {
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

/**
 * Words that customers say and that are data in what tools answer or are called with, and words of
 * identifiers (`mei_ito_1234`), unless they are mostly not data or data everywhere. In lower case.
 */
export function findVariableWords(
  conversations: readonly RenderedConversation[],
): Set<string> {
  const words = new Map<string, WordUse>();
  for (const conversation of conversations) countWords(words, conversation);
  const most = Math.max(
    FEW_CONVERSATIONS,
    conversations.length * MAX_CONVERSATION_SHARE,
  );
  const variable = new Set<string>();
  for (const [word, use] of words) {
    const copied = use.said || use.inIdentifier;
    const isData = use.asData > 0 && use.asData >= MIN_DATA_SHARE * use.total;
    if (copied && isData && use.conversations <= most) variable.add(word);
  }
  return variable;
}

/** What a word is used for. */
interface WordUse {
  /** Whether a customer says it. */
  said: boolean;
  inIdentifier: boolean;
  /** Occurrences as data, and in all. */
  asData: number;
  total: number;
  /** Conversations in which it is data. */
  conversations: number;
}

function countWords(
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
