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
  const words = text.split(" ");
  const runs = Math.max(0, words.length - 4);
  if (runs < options.runs) return 0;
  let shared = 0;
  for (let i = 0; i < runs; i++) {
    if (other.includes(words.slice(i, i + 5).join(" "))) shared++;
  }
  return shared / runs;
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

/** What identifies something in every domain and can be checked: e-mails, zips, digits of cards. */
const FACTS = [/\b[\w.+-]+@[\w-]+\.[\w.-]*\w/g, /\b\d{4,10}\b/g];

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
  return [...ids, ...FACTS].flatMap((pattern) => text.match(pattern) ?? [])
    .filter((fact) => !lower.includes(fact.toLowerCase()));
}
