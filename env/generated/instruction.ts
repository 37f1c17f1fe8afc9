/** Writes instructions in a benchmark's style: who the user is, how they behave, and what they want. */

import type { Rng } from "../random.ts";
import { happens } from "./draw.ts";

/** The user's identity. */
export interface Persona {
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly city: string;
  readonly zip: string;
}

/** The wording of something that the user wants from the agent: an action or an answer. */
export interface Wording {
  /** A clause that follows "you want to". */
  readonly clause: string;
  /** Sentences that follow the clause's sentence. */
  readonly after?: readonly string[];
  /** A sentence that precedes the clause's sentence. */
  readonly before?: string;
  /** Whether the user asks for information. A question gets a separate sentence. */
  readonly isQuestion?: boolean;
}

/**
 * Returns an instruction that states the user's identity and requests and, at random, their character, an irrelevant
 * fact and a closing direction.
 */
export function writeInstruction(
  rng: Rng,
  { who, wishes }: { who: string; wishes: readonly Wording[] },
): string {
  const parts = [
    who,
    ...happens(rng, 0.85) ? [manner(rng)] : [],
    ...happens(rng, 0.3) ? [rng.pick(DIGRESSIONS)] : [],
    ...wanted(rng, wishes),
    ...happens(rng, 0.6) ? [rng.pick(ENDINGS)] : [],
  ];
  return parts.join(" ");
}

/**
 * Phrases the user's identity: `You are Ann Lee in 12345.` Some phrasings contain the email address instead of the zip
 * code.
 */
export function personaWords(
  rng: Rng,
  { firstName, lastName, email, city, zip }: Persona,
): string {
  const name = `${firstName} ${lastName}`;
  return rng.pick([
    `You are ${name} in ${zip}.`,
    `You are ${name}, and you live in ${city}, ${zip}.`,
    `You are ${name} living in ${city} ${zip}.`,
    `Your name is ${name} and your zip code is ${zip}.`,
    `Your name is ${name} and your email is ${email}.`,
    `You are ${name} (${email}).`,
  ]);
}

/** Joins strings as in a sentence: `a, b and c`. */
export function listed(all: readonly string[]): string {
  return all.length < 2
    ? all.join("")
    : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}

/** Phrases what the user wants as sentences. The first two requests are sometimes combined into one sentence. */
function wanted(rng: Rng, wishes: readonly Wording[]): string[] {
  const sentences: string[] = [];
  const [first, second] = wishes;
  const isJoined = first !== undefined && second !== undefined &&
    (first.after ?? []).length === 0 && second.before === undefined &&
    !first.isQuestion && !second.isQuestion && happens(rng, 0.4);
  for (const [i, { clause, before, after = [] }] of wishes.entries()) {
    if (before !== undefined) sentences.push(before);
    if (isJoined && i === 1) {
      sentences.push(`${sentences.pop()?.slice(0, -1)}, and to ${clause}.`);
    } else sentences.push(`${startOf(rng, i, wishes.length)} ${clause}.`);
    sentences.push(...after);
  }
  return sentences;
}

function startOf(rng: Rng, index: number, count: number): string {
  if (index === 0) {
    return rng.pick([
      "You want to",
      "You want to",
      "You would like to",
      "You'd like to",
      "You need to",
      "You wish to",
    ]);
  }
  return index === count - 1 && count > 2
    ? rng.pick(["Lastly, you want to", "You also want to", "And you want to"])
    : rng.pick([
      "You also want to",
      "You want to also",
      "Besides, you want to",
      "In addition, you would like to",
      "Also, you want to",
    ]);
}

/** Describes the user's character for the model that plays the user. The agent never sees this description. */
function manner(rng: Rng): string {
  const some = rng.shuffle(TRAITS).slice(0, 1 + rng.int(4));
  return rng.pick([
    `You are ${some.join(", ")}.`,
    `You are a ${some[0]} person.`,
    `You are ${
      some.length > 1 ? some.slice(0, 2).join(" and ") : some[0]
    } today.`,
  ]);
}

const TRAITS =
  "calm brisk cheerful reserved blunt gentle forgetful precise anxious chatty laconic thrifty generous suspicious trusting tired lively formal casual stubborn easy-going meticulous scattered polite grumpy hopeful skeptical quiet talkative thorough hasty considerate proud modest moody dreamy practical nervous witty"
    .split(" ");

/** Irrelevant facts that the user may mention. */
const DIGRESSIONS = [
  "You have just moved house and half of your things are still in boxes.",
  "Your sister is getting married next weekend and you have a lot to arrange.",
  "You had a long week at work.",
  "Money is a little tight this month.",
  "You have guests coming over on Sunday.",
  "You hardly slept because of the dog next door.",
  "You are about to leave for a trip and have little time.",
  "You have just started a new job in another part of town.",
  "Your roommate does the shopping as a rule, but is away.",
  "You have been a loyal buyer here for years.",
  "You went through your mail and found the receipt.",
  "You heard from a friend that this can be settled by chat.",
  "You have tried the website, but it did not load.",
  "You talked with your partner about it last night.",
  "Your kids have been asking about it all week.",
  "You are sorting out your flat before the winter.",
  "It rained through the roof, so today is not your best day.",
  "You got a bonus and are in a good mood.",
  "You have been reading reviews all morning.",
  "You are writing from your phone on the bus.",
];

/** Final sentences, mostly directions for the model that plays the user. */
const ENDINGS = [
  "You are a private person and tell no more than you have to.",
  "You are brief and to the point.",
  "You are friendly and thank the agent at the end.",
  "You are in a hurry and want this settled in one go.",
  "If the agent asks for more, you give what you know.",
  "Make sure that everything you want is dealt with.",
  "Mention one thing at a time.",
  "Be patient with the agent.",
  "You like to say things in few words.",
  "It is urgent.",
  "You have the details at hand.",
  "You do not want to wait long.",
];
