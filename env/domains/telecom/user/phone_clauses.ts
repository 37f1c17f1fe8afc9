/** Parts of an agent's message, each with its words and what it is about. */

import { mentionsIn, type Topic } from "./phone_topics.ts";

/** Lower case, without the signs of names and markup. */
export function plain(message: string): string {
  return message.toLowerCase().replaceAll(/[*`_()"“”\[\]]/g, " ");
}

/** Letters and digits; `wi-fi` is two words, `don't` one. */
export function wordsOf(sentence: string): string[] {
  return sentence.replaceAll(/['’]/g, "").split(/[^a-z0-9]+/).filter((word) =>
    word !== ""
  );
}

/** A part of a sentence with what it is about. */
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
 * Parts between `and`s and `then`s. One that is about nothing is about what the one before it is, where it says `it`;
 * else it belongs to the next: `the sms and storage permissions`. One without a verb has that of the one before it.
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

/** Words of who wants to be told something. */
export const ASKS =
  "please can could may tell give provide share need know whether"
    .split(" ");

/** Words of who wants something looked at. */
export const CHECKS =
  "check look see tell show shows whether verify confirm run rerun try test view open report read"
    .split(" ");

/** Words of who wants something done. */
export const ACTS =
  "turn switch toggle disable enable activate deactivate disconnect connect set put ensure make sure stop"
    .split(" ");

/** Words of who wants a yes. */
export const CONSENT =
  "shall should okay ok agree confirm proceed want willing accept yes like right correct alright"
    .split(" ");

/** What people do to permissions. */
export const GRANTS = "grant give allow enable add turn".split(" ");

/** Asks to choose among what was offered before. */
export const CHOICE = "which what prefer option options".split(" ");

/** Words of who wants something off. */
export const OFF = [
  "off",
  "disable",
  "deactivate",
  "disconnect",
  "disabled",
  "stop",
];

/** Words of who wants something on. */
export const ON = ["on", "enable", "activate", "connect", "enabled"];

const VERBS = new Set([
  ...CHECKS,
  ...ACTS,
  ...GRANTS,
  ...OFF,
  ...ON,
]);

/** Whether one of the wanted words is among these. */
export function hasAny(
  words: readonly string[],
  wanted: readonly string[],
): boolean {
  return words.some((word) => wanted.includes(word));
}
