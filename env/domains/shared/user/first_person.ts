/**
 * Rewrites an instruction ("You are Ann Lee in 12345. You want to …") in the first person ("I want to …"), without the
 * user's identity and character and without directions on how to act.
 */

import { proseOf } from "./scenario.ts";

/** A rewritten instruction. */
export interface FirstPerson {
  /** All sentences that the user can say; empty if there are none. */
  readonly all: string;
  /** The sentences that ask for information. */
  readonly questions: string;
  /** Whether the instruction is a machine-generated list of requests rather than prose. */
  readonly synthetic: boolean;
}

/** Matches sentences about the user's identity or behavior. */
const PERSONA =
  /^(you are|you're|your? name|you (like|love|do not like|don't like) to (say|speak|talk))\b/i;

/** Matches directions that must not be revealed to the agent. */
const DIRECTION =
  /\b(the agent|if (the|it)|reveal|mention|make (sure|up|everything)|sound|emphasize|initially|eventually|in the end|human|when asked|respond|typos?|please be)\b|^(be|try|first|then|complain|express|say|tell)\b/i;

/** Matches directions that do not ask the agent for anything. */
const ACTING =
  /\b(if (and only if )?the agent (asks?|provides?|gives?|tells?|gets?)|(when|if) asked|ask(s|ed)? you|respond|reveal|say|mention|typos?|make (sure|up|everything)|sound|initially|human)\b/i;

const REQUEST_LIST = /(^|\. |; )(Return #W|For #W|Cancel order #W)\d/;

const ASKS =
  /\b(know|ask|how (much|many)|tell|what|which|total|track|price|number|balance|check)\b/i;

/** Rewrites an instruction in the first person. */
export function firstPerson(instruction: string): FirstPerson {
  const own = sentences(proseOf(instruction)).map(withoutPersona)
    .filter((sentence) => sentence !== "" && !PERSONA.test(sentence));
  const spoken = own.filter((sentence) => !DIRECTION.test(sentence));
  const asks = own.filter((sentence) =>
    ASKS.test(sentence) && !ACTING.test(sentence)
  );
  return {
    all: spoken.map(speak).join(" "),
    questions: asks.map(speak).join(" "),
    synthetic: REQUEST_LIST.test(instruction),
  };
}

/** Splits text into sentences, ignoring periods inside an email address. */
function sentences(text: string): string[] {
  return text.split(/(?<=[.?!])\s+/).map((part) => part.trim());
}

/** Removes the user's identity from a sentence: `You are x_y (zip 1) and you want …` becomes `you want …`. */
function withoutPersona(sentence: string): string {
  return sentence.replace(
    /^you are .*?\b(?:and|,) (?=you(?:'d| would)? (?:want|like|wish|need)\b)/i,
    "",
  );
}

function speak(sentence: string): string {
  return sentence
    .replace(/\byou are\b/gi, "i am")
    .replace(/\byou're\b/gi, "i am")
    .replace(/\byou've\b/gi, "i have")
    .replace(/\byou'd\b/gi, "i would")
    .replace(/\byou'll\b/gi, "i will")
    .replace(/\byourself\b/gi, "myself")
    .replace(/\byours\b/gi, "mine")
    .replace(/\byour\b/gi, "my")
    .replace(
      /\b(for|to|with|from|asks?|tells?|gives?|help|saves?) you\b/gi,
      "$1 me",
    )
    .replace(/\byou\b/gi, "i")
    .replace(/^((?:then|first|finally|lastly|also),? )?ask\b/i, "$1i ask")
    .replace(/\bthe agent\b/gi, "you");
}
