/** Facts and words in a customer's messages. */

import type { Database } from "../database.ts";
import { printPythonJson } from "../python/python_json.ts";
import type { Goal, Request } from "../types.ts";
import { tripDetails } from "../domains/airline/user/trip_words.ts";
import { texts } from "../domains/shared/read_row.ts";

/** What a request is about beyond its order: what a customer tells when they are asked. */
export function detailsOf(request: Request): string[] {
  const { items = [], newItems = [], reason, payment, address } = request;
  const trip = request.trip === undefined
    ? []
    : [...tripDetails(request)].filter(([kind]) => kind !== "reservation")
      .map(([, words]) => words);
  return [...items, ...newItems, reason, payment, address?.address1, ...trip]
    .filter((detail): detail is string =>
      detail !== undefined && detail !== ""
    );
}

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

/** Everything that the customer may know, as one text: goal, instruction, own profile and orders. */
export function knownText(
  { goal, instruction, userId, database }: {
    goal: Goal;
    instruction: string;
    userId: string;
    database: Database;
  },
): string {
  const user = database.get("users", userId);
  const orders = texts(user ?? new Map(), "orders").map((id) =>
    database.get("orders", id)
  );
  const reservations = texts(user ?? new Map(), "reservations").map((id) =>
    database.get("reservations", id)
  );
  const rows = [user, ...orders, ...reservations].map((one) =>
    one === undefined ? "" : printPythonJson(one)
  );
  return [JSON.stringify(goal), instruction, userId, ...rows].join(" ")
    .toLowerCase();
}

/** What identifies something and can be checked: ids, e-mails, zips, digits of cards. */
const FACTS = [
  /#w\d+/gi,
  /\b[\w.+-]+@[\w-]+\.[\w.-]*\w/g,
  /\b(?:credit_card|gift_card|paypal|certificate)_\d+\b/gi,
  /\b\d{4,10}\b/g,
];

/** Facts in a text that are nowhere in what is known. */
export function inventedFacts(text: string, known: string): string[] {
  const lower = known.toLowerCase();
  return FACTS.flatMap((pattern) => text.match(pattern) ?? [])
    .filter((fact) => !lower.includes(fact.toLowerCase()));
}
