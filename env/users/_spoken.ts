/**
 * What a model wrote, as a user would say it.
 *
 * Small models wrap what they say: in reasoning, labels, quotes, code fences, markdown. All of that is forgiven
 * here; only an answer with nothing to say in it is not.
 */

import { STOP } from "../types.ts";

/** A label of who speaks, or of what follows, at the start of a line; so many marks before it that no text is slow. */
function label(words: string): string {
  return `[*_#\\s]{0,20}(?:${words})[*_ ]*:[*_]*`;
}

const SPEAKER = new RegExp(
  `^${label("user|customer|user response|response")}\\s*`,
  "i",
);

/** Where a model goes on by itself: with its next thought, or with the agent's part. */
const NEXT = new RegExp(
  `\\n${
    label("thought|reflection|agent|assistant|user response|response")
  }[\\s\\S]*$`,
  "i",
);

/** The text without reasoning in tags, also where one of the tags is missing. */
export function withoutReasoning(text: string): string {
  return withoutPairs(text)
    // A chat template may have opened the tag already; an answer that is cut off never closes it.
    .replace(/^[\s\S]*<\/think(?:ing)?>/i, "")
    .replace(/<think(?:ing)?>[\s\S]*$/i, "")
    .trim();
}

const OPEN = /<think(?:ing)?>/gi;
const CLOSE = /<\/think(?:ing)?>/gi;

/** The text without what stands between two tags. One pass: where one tag has no end, none after it has. */
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
 * The message without what is not meant for the agent: reasoning in tags, a label of who speaks, quotes or a
 * code fence around all of it. The stop token is spelled exactly. `undefined` if nothing is left.
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
 * What an answer says behind its marker: the first that begins a line, else the last; up to the next label.
 * `undefined` without a marker, or if nothing is behind it.
 */
export function spokenBehind(
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

/** Whether there are words beside the stop token. */
export function saysMoreThanStop(words: string): boolean {
  return words.includes(STOP) &&
    /[\p{L}\p{N}]/u.test(words.replaceAll(STOP, ""));
}

/** The words without the stop token. */
export function withoutStop(words: string): string {
  return words.replaceAll(STOP, "").trim();
}
