/** Normalizes and compares texts, and finds facts that a user has invented. */

import { printPythonJson } from "../python/python_json.ts";
import { texts } from "../domains/shared/read_row.ts";
import type { TrackOptions } from "./tracker.ts";

/** Checks whether a string contains a detail as whole words, ignoring case, spacing and punctuation. */
export function mentions(text: string, detail: string): boolean {
  return ` ${plain(text)} `.includes(` ${plain(detail)} `);
}

/** Normalizes a string to lowercase words of letters and digits, separated by single spaces. */
export function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, " ").trim();
}

/**
 * Returns the fraction of a text's five-word sequences that also occur in another text; 0 if the text has fewer than
 * `options.runs` such sequences.
 */
export function overlap(
  text: string,
  other: string,
  options: { readonly runs: number },
): number {
  const runs = runsOf(text);
  if (runs.length < options.runs) return 0;
  const others = new Set(runsOf(other));
  return runs.filter((run) => others.has(run)).length / runs.length;
}

function runsOf(text: string): string[] {
  const words = text.split(" ");
  return words.slice(4).map((_, i) => words.slice(i, i + 5).join(" "));
}

/**
 * Returns, as one text in lower case, everything that the user may know: the goal, the instruction, and the user's own
 * profile and rows.
 */
export function knownText(
  { task, database, domain }: Pick<
    TrackOptions,
    "task" | "database" | "domain"
  >,
): string {
  const { goal, instruction, userId } = task;
  const user = database.get("users", userId);
  const owned = (domain.rows?.owned ?? []).flatMap(({ table }) =>
    texts(user, table).map((id) => database.get(table, id))
  );
  const rows = [user, ...owned].map((one) =>
    one === undefined ? "" : printPythonJson(one)
  );
  return [JSON.stringify(goal), instruction, userId, ...rows].join(" ")
    .toLowerCase();
}

/**
 * Patterns of the facts that can be checked in every domain: e-mail addresses, and numbers of 4 to 10 digits, such as
 * zip codes and card digits.
 */
const FACTS = [
  /\b[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{0,190}\w/g,
  /\b\d{4,10}\b/g,
];

/** The maximum number of distinct facts to check per message. */
const MAX_FACTS = 500;

/** Returns the facts in a text that the known text does not contain. */
export function inventedFacts(
  text: string,
  { known, ids = [] }: {
    readonly known: string;
    /** Patterns of the domain's ids. */
    readonly ids?: readonly RegExp[] | undefined;
  },
): string[] {
  const lower = known.toLowerCase();
  const facts = new Set(
    [...ids, ...FACTS].flatMap((pattern) => text.match(pattern) ?? []),
  );
  return [...facts].slice(0, MAX_FACTS)
    .filter((fact) => !lower.includes(fact.toLowerCase()));
}
