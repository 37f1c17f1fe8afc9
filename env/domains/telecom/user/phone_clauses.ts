/** Splits an agent's message into clauses, each with its words and topics. */

import { mentionsIn, type Topic } from "./phone_topics.ts";

/** Returns a message in lower case, without quotation marks, brackets or markup. */
export function plain(message: string): string {
  return message.toLowerCase().replaceAll(/[*`_()"“”\[\]]/g, " ");
}

/**
 * Splits a lowercase sentence into words that consist of letters and digits: `wi-fi` becomes two words, and `don't`
 * becomes one word.
 */
export function wordsOf(sentence: string): string[] {
  return sentence.replaceAll(/['’]/g, "").split(/[^a-z0-9]+/).filter((word) =>
    word !== ""
  );
}

/** A part of a sentence, with its topics. */
export interface Clause {
  readonly words: readonly string[];
  readonly topics: readonly Topic[];
}

const JOINTS: readonly string[] = [
  "and",
  "then",
  "afterwards",
  "after",
  "before",
];
const PRONOUNS: readonly string[] = ["it", "that", "this", "them", "so"];

/**
 * Splits a sentence at words such as `and` and `then`. A part without a topic gets the topic mentioned last (initially
 * `before`) if it contains a pronoun; otherwise, it is joined with the next part, as in `the sms and storage
 * permissions`, or with the previous part if it is the last. A part without a verb gets the verbs of the last part that
 * has any.
 */
export function clausesOf(
  words: readonly string[],
  before: Topic | undefined,
): Clause[] {
  const clauses: Clause[] = [];
  let last = before;
  let pending: string[] = [];
  let verbs: readonly string[] = [];
  for (const part of split(words)) {
    const own = [...new Set(mentionsIn(part).map(({ topic }) => topic))];
    const refers = own.length === 0 && hasAny(part, PRONOUNS);
    if (own.length === 0 && !(refers && last !== undefined)) {
      pending.push(...part);
      continue;
    }
    const topics = own.length === 0 && last !== undefined ? [last] : own;
    const all = [...pending, ...part];
    const ownVerbs = VERBS.intersection(new Set(all));
    if (ownVerbs.size > 0) verbs = [...ownVerbs];
    clauses.push({
      words: ownVerbs.size > 0 ? all : [...verbs, ...all],
      topics,
    });
    pending = [];
    last = topics.at(-1);
  }
  if (pending.length > 0) {
    const previous = clauses.pop() ?? { words: [], topics: [] };
    clauses.push({
      words: [...previous.words, ...pending],
      topics: previous.topics,
    });
  }
  return clauses;
}

function split(words: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  for (const word of words) {
    if (JOINTS.includes(word)) parts.push([]);
    else parts.at(-1)?.push(word);
  }
  return parts.filter((part) => part.length > 0);
}

/** Words that mark a clause as a request for information. */
export const ASKS =
  "please can could may tell give provide share need know whether"
    .split(" ");

/** Words that mark a clause as a request to check something. */
export const CHECKS =
  "check look see tell show shows whether verify confirm run rerun try test view open report read"
    .split(" ");

/** Words that mark a clause as a request for an action. */
export const ACTS =
  "turn switch toggle disable enable activate deactivate disconnect connect set put ensure make sure stop"
    .split(" ");

/** Words that mark a clause as a request for the user's consent. */
export const CONSENT =
  "shall should okay ok agree confirm proceed want willing accept yes like right correct alright"
    .split(" ");

/** Verbs that grant a permission. */
export const GRANTS = "grant give allow enable add turn".split(" ");

/** Words that mark a clause as a question about which of the offered options the user chooses. */
export const CHOICE = "which what prefer option options".split(" ");

/** Words that mark a clause as a request to turn something off. */
export const OFF = [
  "off",
  "disable",
  "deactivate",
  "disconnect",
  "disabled",
  "stop",
];

/** Words that mark a clause as a request to turn something on. */
export const ON = ["on", "enable", "activate", "connect", "enabled"];

const VERBS = new Set([
  ...CHECKS,
  ...ACTS,
  ...GRANTS,
  ...OFF,
  ...ON,
]);

/** Checks whether the words include at least one of the wanted words. */
export function hasAny(
  words: readonly string[],
  wanted: readonly string[],
): boolean {
  return words.some((word) => wanted.includes(word));
}
