/** Matches a user's words to rows that the tools have shown. An ambiguous description matches nothing. */

import type { JsonObject } from "../../../python/python_value.ts";
import { row, rows, text } from "../../shared/read_row.ts";

/** Matches a description that identifies an item by its id because its name is not known. */
const BY_ID = /^item (\d+)$/;

/**
 * Finds the items of an order that match the user's descriptions. A description consists of an item's name, its name
 * and options, or its id. Each item is matched at most once.
 * @returns The items in the order of the descriptions; `undefined` if a description matches no item or several
 * different items.
 */
export function matchItems(
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

/**
 * Finds the variant of a product whose options or id match the words. Returns `undefined` if there is not exactly one
 * such variant.
 */
export function matchVariant(
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

/** Returns the option values of an item, joined by a separator. */
function optionsOf(item: JsonObject, separator = ", "): string {
  return [...row(item, "options")?.values() ?? []].join(separator);
}

/** Returns the first item if all items have the same id, and `undefined` otherwise. */
function only(items: readonly JsonObject[]): JsonObject | undefined {
  const ids = new Set(items.map((item) => text(item, "item_id")));
  return ids.size === 1 ? items[0] : undefined;
}

/** Returns the payment method id that the words contain, or `undefined` if they contain none. */
export function methodIdIn(words: string): string | undefined {
  return words.match(/\b(?:paypal|gift_card|credit_card)_\d+\b/)?.[0];
}

/** Checks whether the words name the kind of the payment method `methodId` and nothing else: `my credit card`. */
export function isKindOf(words: string, methodId: string): boolean {
  return methodId.startsWith(`${kindIn(words)}_`) &&
    LAST_FOUR.exec(words) === null;
}

/**
 * Finds the id of the payment method that the words describe by its kind and, optionally, its last four digits. Returns
 * `undefined` if there is not exactly one such method.
 */
export function matchMethod(
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

/**
 * Returns the kind of the payment method that the words describe: `credit_card` for `my credit card ending in 1234`.
 */
function kindIn(words: string): string {
  return words.replace(/^my /, "").replace(LAST_FOUR, "").replaceAll(" ", "_");
}
