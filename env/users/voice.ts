/** How users write: the same words, made terse, or with talk around them. */

import { STOP } from "../types.ts";

/** How a user writes: as little as they can, with talk beside the point, or in a hurry. */
export type Voice = "plain" | "terse" | "chatty" | "impatient";

/** Polite beginnings that a terse user leaves out. */
const POLITE =
  /^(?:(?:hi|hello|good day|thanks|thank you|great|in that case)[,.] |then )?(?:i (?:also )?want to know |i need to know |(?:now )?please tell me |could you tell me |can you look up |what is |also, what is |i (?:also )?want to |i would like to |i need to |(?:now )?please |(?:next, )?can you |could you )?/;

/** Beginnings of answers. */
const ANSWER = /^(?:sure[:,] |well, |my (?:user id|email) is )/;

/** Beside the point, whatever it is about: none is a question, a consent or a fact. */
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
 * A message as a voice says it. The last one, which ends the conversation, is as it is.
 * @param index Which of the user's messages it is, from 0.
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

/** How an instruction describes a voice; nothing of the plain one. */
export const TEMPERS: Readonly<Record<Voice, string>> = {
  plain: "",
  terse: " You write as little as you can.",
  chatty: " You like to talk about other things as well.",
  impatient: " You are in a hurry, and say so.",
};
