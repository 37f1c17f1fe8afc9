/**
 * Decides whether the agent said what an assertion claims: `met`, `not_met`, or `unknown` if only a reader of the
 * conversation could decide.
 */

import { hasText, type Tau3Message } from "../tau3_message.ts";
import type { Databases } from "../../../domain.ts";
import { type Claim, numbersIn, stem, stems, wordList } from "./nl_claims.ts";
import { rivalsOf } from "./rival_values.ts";

/** The verdict on a claim. */
export type Verdict = "met" | "not_met" | "unknown";

/** A message of the agent with its context. */
interface AgentMessage {
  readonly text: string;
  readonly sentences: readonly string[];
  /** The stems of the words in the message and in the user message before it. */
  readonly context: ReadonlySet<string>;
}

/** The conversation and the other claims, used to check a claim. */
export interface ClaimContext {
  readonly messages: readonly Tau3Message[];
  readonly databases: Databases;
  /** All claims of the task. A value that one claim requires does not contradict another claim. */
  readonly claims: readonly Claim[];
}

/** Checks whether the agent said what a claim requires. */
export function statementVerdict(
  claim: Exclude<Claim, { readonly kind: "action" }>,
  context: ClaimContext,
): Verdict {
  const sayings = agentMessagesOf(context.messages);
  switch (claim.kind) {
    case "number":
      return numberVerdict(claim, sayings, wantedNumbers(context));
    case "word":
      return wordVerdict(claim, sayings, otherValues(claim.word, context));
    case "place":
      return addressVerdict(claim, sayings);
  }
}

function wantedNumbers({ claims }: ClaimContext): ReadonlySet<number> {
  return new Set(
    claims.flatMap((claim) => claim.kind === "number" ? [claim.value] : []),
  );
}

/** Returns the values that could replace the claimed word `word`, except those that a claim requires. */
function otherValues(
  word: string,
  { databases, claims }: ClaimContext,
): ReadonlySet<string> {
  const wanted = claims.flatMap((claim) =>
    claim.kind === "word" ? [claim.word] : []
  );
  return rivalsOf(word, databases).difference(new Set(wanted));
}

function agentMessagesOf(messages: readonly Tau3Message[]): AgentMessage[] {
  let asked = "";
  const sayings: AgentMessage[] = [];
  for (const message of messages) {
    if (message.role === "tool" || !hasText(message)) continue;
    const text = message.content ?? "";
    if (message.role === "user") asked = text;
    else {
      sayings.push({
        text,
        sentences: text.split(/\n|[.!?;]\s/),
        context: stems(`${asked}\n${text}`),
      });
    }
  }
  return sayings;
}

/**
 * Checks whether a number is so distinctive that it cannot be part of a date, a count or a list. Other numbers are
 * accepted only if their subject is mentioned nearby.
 */
function isDistinct(value: number): boolean {
  return !Number.isInteger(value) || value >= 10_000;
}

function numberVerdict(
  claim: Claim & { kind: "number" },
  sayings: readonly AgentMessage[],
  wanted: ReadonlySet<number>,
): Verdict {
  const { value, subject, unit } = claim;
  let found: Verdict = "not_met";
  for (const saying of sayings) {
    const others = rivals(saying, wanted);
    const isRanked = others < 2 || namesRank(saying, subject);
    for (const sentence of saying.sentences) {
      if (!states(sentence, value)) {
        if (isNearly(sentence, value)) found = "unknown";
        continue;
      }
      const own = stems(sentence);
      const isNear = shares(own, subject) || unit !== "" && own.has(unit);
      const isSure = isNear || isDistinct(value) && others === 0;
      if (isSure && isRanked) return "met";
      found = "unknown";
    }
    if (isCounted(saying, value)) found = "unknown";
  }
  return found;
}

const NUMBER_WORDS =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
    .split(" ");

function states(sentence: string, value: number): boolean {
  const word = NUMBER_WORDS[value];
  if (word !== undefined && stems(sentence).has(stem(word))) return true;
  return numbersIn(sentence).some((number) =>
    number.value === value && !isDenied(sentence.slice(0, number.start))
  );
}

function isDenied(before: string): boolean {
  const end = before.slice(-16).trimEnd().toLowerCase();
  return ["not", "n't", "instead of", "rather than"].some((word) =>
    end.endsWith(word)
  );
}

/**
 * Checks whether a sentence that does not state `value` mentions it approximately (25 for 25.4) or with a negation
 * (`not 25`). Such a mention is ambiguous.
 */
function isNearly(sentence: string, value: number): boolean {
  return numbersIn(sentence).some((number) =>
    number.value === value ||
    !Number.isInteger(value) && Number.isInteger(number.value) &&
      Math.abs(number.value - value) < 1 && value > 20
  );
}

/** Checks whether the message contains a list with `value` items, which implicitly states the number. */
function isCounted({ text }: AgentMessage, value: number): boolean {
  const items = text.split("\n").filter((line) =>
    /^\s*(?:[-*•]|\d+[.)])\s/.test(line)
  );
  return value > 1 && items.length === value;
}

/**
 * Returns the number of distinct amounts (numbers that are not integers) that a message mentions and no claim requires.
 */
function rivals({ text }: AgentMessage, wanted: ReadonlySet<number>): number {
  const others = numbersIn(text).filter(({ value }) =>
    !Number.isInteger(value) && !wanted.has(value)
  );
  return new Set(others.map(({ value }) => value)).size;
}

/** Words that select one of several amounts, grouped by meaning. */
const RANKS = [
  ["cheapest", "lowest", "least"],
  ["expensive", "highest", "priciest"],
  ["total", "sum", "altogether", "overall"],
].map((words) => words.map(stem));

/** Checks whether the message has a rank word of every group from which the claim's subject has a word. */
function namesRank(
  { text }: AgentMessage,
  subject: ReadonlySet<string>,
): boolean {
  const own = stems(text);
  return RANKS.every((words) =>
    !words.some((word) => subject.has(word)) ||
    words.some((word) => own.has(word))
  );
}

function wordVerdict(
  { word, subject }: Claim & { kind: "word" },
  sayings: readonly AgentMessage[],
  others: ReadonlySet<string>,
): Verdict {
  let found: Verdict = "not_met";
  for (const saying of sayings) {
    const isAbout = shares(saying.context, subject) &&
      namesRank(saying, subject);
    for (const sentence of saying.sentences) {
      const own = stems(sentence);
      if (!own.has(word)) continue;
      if (isDeniedWord(sentence, word)) {
        found = "unknown";
        continue;
      }
      if (isAbout && !shares(own, others)) return "met";
      found = "unknown";
    }
  }
  return found;
}

const DENIALS = new Set(
  ["not", "no", "never", "isnt", "arent", "wasnt", "werent", "neither", "nor"]
    .map(stem),
);

/** Checks whether every mention of a word comes at most three words after a negation. */
function isDeniedWord(sentence: string, word: string): boolean {
  const words = wordList(sentence);
  return words.every((one, i) =>
    one !== word ||
    words.slice(Math.max(0, i - 3), i).some((before) => DENIALS.has(before))
  );
}

function addressVerdict(
  { parts }: Claim & { kind: "place" },
  sayings: readonly AgentMessage[],
): Verdict {
  const most = Math.max(
    0,
    ...sayings.map(({ text }) => {
      const said = text.toLowerCase().replace(/\s+/g, " ");
      return parts.filter((part) => said.includes(part)).length;
    }),
  );
  return most === parts.length ? "met" : most === 0 ? "not_met" : "unknown";
}

function shares(
  left: ReadonlySet<string>,
  right: ReadonlySet<string>,
): boolean {
  return !left.isDisjointFrom(right);
}
