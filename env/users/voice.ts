/** Rewrites the messages of scripted users in different voices: plain, terse, chatty or impatient. */

import { STOP } from "../types.ts";

/** A style of writing: plain, as short as possible, with small talk, or in a hurry. */
export type Voice = "plain" | "terse" | "chatty" | "impatient";

/** Matches polite openings, which a terse user omits. */
const POLITE =
  /^(?:(?:hi|hello|good day|thanks|thank you|great|in that case)[,.] |then )?(?:i (?:also )?want to know |i need to know |(?:now )?please tell me |could you tell me |can you look up |what is |also, what is |i (?:also )?want to |i would like to |i need to |(?:now )?please |(?:next, )?can you |could you )?/;

/** Matches openings of answers, which a terse user omits. */
const ANSWER = /^(?:sure[:,] |well, |my (?:user id|email) is )/;

/** Small talk that fits any topic, without questions, consent or facts about the task. */
const ASIDES = [
  "it has been raining here all week.",
  "my neighbour told me about you.",
  "i am writing this from the train.",
  "my cat is walking over the keyboard.",
  "what a long day this has been.",
  "i hope that you are well.",
  "the weather is lovely today, by the way.",
];

const HURRIES = [
  "i am in a hurry.",
  "quickly, if you can.",
  "i do not have all day.",
  "this takes too long already.",
  "i am waiting.",
];

/**
 * Rewrites a message in a voice. A message with the stop token, which ends the conversation, is unchanged.
 * @param index The index of the message among the user's messages.
 */
export function voiced(
  text: string,
  { voice = "plain", index }: {
    readonly voice?: Voice | undefined;
    readonly index: number;
  },
): string {
  if (text.includes(STOP)) return text;
  switch (voice) {
    case "terse":
      return terse(text);
    case "chatty":
      return `${text} ${ASIDES[index % ASIDES.length]}`;
    case "impatient":
      return `${text} ${HURRIES[index % HURRIES.length]}`;
    case "plain":
      return text;
  }
}

function terse(text: string): string {
  const short = text.replace(POLITE, "").replace(ANSWER, "")
    .replace(/, please\b/, "")
    .replace(/\?$/, ".");
  return short === "" ? text : short;
}

/** The sentence that describes each voice in an instruction; empty for the plain voice. */
export const TEMPERS: Readonly<Record<Voice, string>> = {
  plain: "",
  terse: " You write as little as you can.",
  chatty: " You like to talk about other things as well.",
  impatient: " You are in a hurry, and say so.",
};
