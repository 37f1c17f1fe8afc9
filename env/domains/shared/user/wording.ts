/**
 * The sentences of scripted users: requests, answers and farewells, short and in lower case. Values (ids, names,
 * addresses) appear exactly as in the goal.
 */

import type { Rng } from "../../../random.ts";
import type { Goal, Identity, Request } from "../goal/goal.ts";

/** A function that chooses one of several phrasings of a sentence. */
export interface Phraser {
  (phrasings: readonly string[]): string;
}

/**
 * Creates a phraser that chooses with `rng` among the phrasings that `wording` and `part` allow; see {@linkcode Goal}.
 */
export function phraser(
  rng: Rng,
  { wording = Infinity, part }: {
    readonly wording?: number | undefined;
    readonly part?: Goal["phrasings"] | undefined;
  } = {},
): Phraser {
  return (phrasings) => {
    const known = phrasings.slice(0, wording);
    const cut = Math.ceil((2 / 3) * known.length);
    const held = part === "held_out" ? known.slice(cut) : [];
    const own = part === "train" ? known.slice(0, cut) : held;
    return rng.pick(own.length === 0 ? known : own);
  };
}

/** The functions with which a scripted user phrases requests and chooses among phrasings. */
interface Speaker<R extends Request> {
  words(request: R): string;
  readonly say: Phraser;
}

/** Phrases a request that begins a conversation. */
export function openingWords<R extends Request>(
  request: R,
  speaker: Speaker<R>,
): string {
  const { say } = speaker;
  const what = speaker.words(request);
  if (request.intent === "question") {
    return say([
      `hi, what is the ${what}?`,
      `hello, please tell me the ${what}.`,
      `hi, i want to know the ${what}.`,
      `hello, could you tell me the ${what}?`,
      `i need to know the ${what}.`,
      `good day, can you look up the ${what}?`,
    ]);
  }
  return say([
    `hi, i want to ${what}.`,
    `hello, please ${what}.`,
    `hi, can you ${what}?`,
    `i would like to ${what}.`,
    `hello, i need to ${what}.`,
    `good day, could you ${what}?`,
  ]);
}

/** Phrases a request that follows another one. */
export function nextWords<R extends Request>(
  request: R,
  speaker: Speaker<R>,
): string {
  const { say } = speaker;
  const what = speaker.words(request);
  if (request.intent === "question") {
    return say([
      `thanks. also, what is the ${what}?`,
      `great. now please tell me the ${what}.`,
      `thank you. i also want to know the ${what}.`,
    ]);
  }
  if (request.fallback === true) {
    return say([
      `then i want to ${what}.`,
      `in that case, please ${what}.`,
      `then can you ${what}?`,
    ]);
  }
  return say([
    `thanks. i also want to ${what}.`,
    `great. now please ${what}.`,
    `thank you. next, can you ${what}?`,
  ]);
}

/** Joins the names of items: `the oak stool and the tea tray`. */
export function list(items: readonly string[]): string {
  return items.map((item) => `the ${item}`).join(" and ");
}

/** Phrases a user's identity. `by` selects the email address, or the name and zip code. */
export function identityWords(
  identity: Identity,
  { by, say }: { by: "email" | "name_zip"; say: Phraser },
): string {
  const { firstName, lastName, zip, email } = identity;
  if (by === "email") {
    return say([
      `my email is ${email}.`,
      `it is ${email}.`,
      `sure, ${email}.`,
    ]);
  }
  return say([
    `my name is ${firstName} ${lastName}, zip ${zip}.`,
    `i am ${firstName} ${lastName}, my zip is ${zip}.`,
    `${firstName} ${lastName}, zip code ${zip}.`,
  ]);
}

/** Phrases the user's consent. */
export function yesWords(say: Phraser): string {
  return say(["yes.", "yes, please.", "yes, go ahead."]);
}

/** Phrases a farewell, without the stop token. */
export function farewellWords(say: Phraser): string {
  return say([
    "no, that is all. thanks.",
    "that is all, thank you.",
    "no, thank you. bye.",
  ]);
}
