/** Facts and words in a user's messages. */

import { printPythonJson } from "../python/python_json.ts";
import { texts } from "../domains/shared/read_row.ts";
import type { TrackOptions } from "./tracker.ts";

/** Whether a text holds a detail, whatever its case, spacing and punctuation. */
export function mentions(text: string, detail: string): boolean {
  return ` ${plain(text)} `.includes(` ${plain(detail)} `);
}

/** A text as its words: lower case, letters and digits, one space between. */
export function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, " ").trim();
}

/** The share of a text's runs of five words that are in another one; 0 where it has fewer than `runs`. */
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

/** Everything that the user may know, as one text: goal, instruction, own profile and rows. */
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

/** What identifies something in every domain and can be checked: e-mails (within their limits), zips, digits of cards. */
const FACTS = [
  /\b[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{0,190}\w/g,
  /\b\d{4,10}\b/g,
];

/** So many different facts of a message are looked up. */
const MAX_FACTS = 500;

/** Facts in a text that are nowhere in what is known. */
export function inventedFacts(
  text: string,
  { known, ids = [] }: {
    readonly known: string;
    /** What ids look like in the domain. */
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
