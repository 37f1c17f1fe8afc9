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

/**
 * Words that customers say and that are values in what tools answer or are called with, and words of
 * identifiers (`mei_ito_1234`). In lower case.
 */
export function findVariableWords(
  conversations: readonly (readonly Message[])[],
): Set<string> {
  const said = new Set<string>();
  const values = new Set<string>();
  const variable = new Set<string>();
  for (const message of conversations.flat()) {
    if (message.role === "user") addWords(said, message.content);
    for (const text of valuesOf(message)) {
      addWords(isIdentifier(text) ? variable : values, text);
    }
  }
  for (const word of values) if (said.has(word)) variable.add(word);
  return variable;
}

function addWords(set: Set<string>, text: string): void {
  for (const word of wordsOf(text)) set.add(word.toLowerCase());
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
