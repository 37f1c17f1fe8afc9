/**
 * Extracts the user's message from a model's answer.
 *
 * Small models wrap their message in reasoning, labels, quotes, code fences or Markdown. All of these are removed; only
 * an answer without a message is rejected.
 */

import { STOP } from "../types.ts";

/**
 * Returns the pattern of a label at the start of a line. The number of markup characters before the label is limited,
 * so that matching stays fast.
 */
function label(words: string): string {
  return `[*_#\\s]{0,20}(?:${words})[*_ ]*:[*_]*`;
}

const SPEAKER = new RegExp(
  `^${label("user|customer|user response|response")}\\s*`,
  "i",
);

/**
 * Matches the text that a model writes after the user's message: its next thought, another response, or a message from
 * the agent.
 */
const NEXT = new RegExp(
  `\\n${
    label("thought|reflection|agent|assistant|user response|response")
  }[\\s\\S]*$`,
  "i",
);

/** Removes reasoning in tags, even if one of the tags is missing. */
export function withoutReasoning(text: string): string {
  return withoutPairs(text)
    // A chat template may have opened the tag already; a truncated answer never closes it.
    .replace(/^[\s\S]*<\/think(?:ing)?>/i, "")
    .replace(/<think(?:ing)?>[\s\S]*$/i, "")
    .trim();
}

const OPEN = /<think(?:ing)?>/gi;
const CLOSE = /<\/think(?:ing)?>/gi;

/**
 * Removes the text between pairs of tags in one pass. The function stops at the first tag that is not closed, since
 * later tags cannot be closed either.
 */
function withoutPairs(text: string): string {
  let kept = "";
  let from = 0;
  for (OPEN.lastIndex = 0;;) {
    const open = OPEN.exec(text);
    CLOSE.lastIndex = OPEN.lastIndex;
    if (open === null || CLOSE.exec(text) === null) {
      return kept + text.slice(from);
    }
    kept += text.slice(from, open.index);
    from = OPEN.lastIndex = CLOSE.lastIndex;
  }
}

/**
 * Returns the message without the parts that are not meant for the agent: reasoning in tags, a speaker label, and
 * quotes or a code fence around the whole message. Normalizes the stop token. Returns `undefined` if nothing remains.
 */
export function spoken(text: string): string | undefined {
  const words = withoutReasoning(text)
    .replace(/^```\w*\n([\s\S]*?)\n?```$/, "$1")
    .replace(SPEAKER, "")
    .replace(/^["“]([^"“”]*)["”]$/, "$1")
    .replace(/(?<!#)#{2,}\s*stop\s*#{2,}/gi, STOP)
    .trim();
  return words === "" ? undefined : words;
}

/**
 * Returns the message between the first marker that begins a line and the next label. If no marker begins a line,
 * returns everything after the last marker. Returns `undefined` if there is no marker, or no message after it.
 */
export function spokenAfter(
  marker: "User Response" | "Response",
  text: string,
): string | undefined {
  const bare = withoutReasoning(text);
  const line = new RegExp(`^${label(marker)}`, "im").exec(bare);
  if (line !== null) {
    const rest = bare.slice(line.index + line[0].length);
    return spoken(rest.replace(NEXT, ""));
  }
  const parts = bare.split(new RegExp(`${marker}[*_ ]*:[*_]*`, "i"));
  return parts.length < 2 ? undefined : spoken(parts.at(-1) ?? "");
}

/** Checks whether a message contains the stop token along with other words. */
export function saysMoreThanStop(words: string): boolean {
  return words.includes(STOP) &&
    /[\p{L}\p{N}]/u.test(words.replaceAll(STOP, ""));
}

/** Removes the stop token. */
export function withoutStop(words: string): string {
  return words.replaceAll(STOP, "").trim();
}
