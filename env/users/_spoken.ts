/**
 * What a model wrote, as a customer would say it.
 *
 * @module
 */

import { STOP } from "../types.ts";

/**
 * The message without what is not meant for the agent: reasoning in tags, a label of who speaks, quotes around
 * all of it. `undefined` if nothing is left.
 */
export function spoken(text: string): string | undefined {
  const words = text
    .replace(/<think>[\s\S]*?<\/think>/gi, "")
    .trim()
    .replace(/^```\w*\n([\s\S]*?)\n?```$/, "$1")
    .replace(/^(?:user|customer|user response|response)\s*:\s*/i, "")
    .replace(/^"([^"]*)"$/, "$1")
    .trim();
  return words === "" ? undefined : words;
}

/**
 * Lets no words be lost to a stop. τ-bench ends at the token wherever it stands, so a "yes, do it" that carries
 * it is never heard. Here the words are said, and the conversation ends at the next token.
 * @param stopped Whether words that carried a token were said before.
 */
export function withoutEarlyStop(words: string, stopped: boolean): string {
  if (!words.includes(STOP) || stopped) return words;
  const rest = words.replaceAll(STOP, "").trim();
  return /[\p{L}\p{N}]/u.test(rest) ? rest : words;
}
