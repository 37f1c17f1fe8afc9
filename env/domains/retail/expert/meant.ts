/** Which of the rows that were shown a user's words mean. Where they fit several, nothing is meant. */

import type { JsonObject } from "../../../python/python_value.ts";
import { row, rows, text } from "../../shared/read_row.ts";

/** An item as a user may name it who has nothing but its id. */
const BY_ID = /^item (\d+)$/;

/**
 * The items of an order that words mean, each once: by name, by name and options where several have the name.
 * @returns In the order of the words; `undefined` where one of them fits no item, or different ones.
 */
export function itemsMeant(
  order: JsonObject | undefined,
  words: readonly string[],
): JsonObject[] | undefined {
  let left = rows(order, "items");
  const meant: JsonObject[] = [];
  for (const one of words) {
    const item = only(left.filter((item) => isNamed(item, one)));
    if (item === undefined) return undefined;
    meant.push(item);
    left = left.filter((other) => other !== item);
  }
  return meant;
}

function isNamed(item: JsonObject, words: string): boolean {
  const name = text(item, "name");
  return words === name || words === `${name} (${optionsOf(item)})` ||
    words.match(BY_ID)?.[1] === text(item, "item_id");
}

/** The variant of a product that words name by its options. */
export function variantMeant(
  product: JsonObject | undefined,
  words: string,
): JsonObject | undefined {
  return only(
    rows(product, "variants").filter((variant) =>
      words === optionsOf(variant) || words === optionsOf(variant, " ") ||
      words.match(BY_ID)?.[1] === text(variant, "item_id")
    ),
  );
}

/** The values of an item's options in a row. */
function optionsOf(item: JsonObject, separator = ", "): string {
  return [...row(item, "options")?.values() ?? []].join(separator);
}

/** The first where all have the same id. */
function only(items: readonly JsonObject[]): JsonObject | undefined {
  const ids = new Set(items.map((item) => text(item, "item_id")));
  return ids.size === 1 ? items[0] : undefined;
}

/** The id of the payment method that words themselves have; `undefined` where they describe it. */
export function methodSaid(words: string): string | undefined {
  return words.match(/\b(?:paypal|gift_card|credit_card)_\d+\b/)?.[0];
}

/** Whether words are for the kind of a method and tell no more: `my credit card`. */
export function isKindOf(words: string, methodId: string): boolean {
  return methodId.startsWith(`${kindIn(words)}_`) &&
    LAST_FOUR.exec(words) === null;
}

/** The id of the payment method in a profile that words describe: by its kind, and by its last digits. */
export function methodMeant(
  profile: JsonObject | undefined,
  words: string,
): string | undefined {
  const lastFour = LAST_FOUR.exec(words)?.[1];
  const fit = rows(profile, "payment_methods").filter((method) =>
    text(method, "source") === kindIn(words) &&
    (lastFour === undefined || text(method, "last_four") === lastFour)
  );
  return fit.length === 1 ? text(fit[0], "id") : undefined;
}

const LAST_FOUR = / ending in (\d{4})$/;

/** `credit_card` of `my credit card ending in 1234`. */
function kindIn(words: string): string {
  return words.replace(/^my /, "").replace(LAST_FOUR, "").replaceAll(" ", "_");
}
