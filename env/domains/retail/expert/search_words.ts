/** What the expert thinks while it looks for something: in steps so small that a small policy can imitate each. */

import type { JsonObject } from "../../../python/python_value.ts";
import { row, rows, text } from "../../shared/read_row.ts";

/**
 * Goes through a product's variants up to the one that is meant, and compares each one's options with those wanted, up
 * to the first that differs: `blue, large. 12: blue/red no; 34: blue/blue large/large yes. blue, large 34`. An id stands
 * before its options in the row, so to find it by them in one glance is beyond such a policy.
 * @param words The user's own, for the variant meant.
 */
export function variantThought(
  product: JsonObject | undefined,
  { meant, words }: { meant: JsonObject; words: string },
): string {
  const id = text(meant, "item_id");
  const variants = rows(product, "variants");
  const at = variants.findIndex((one) => text(one, "item_id") === id);
  const steps = variants.slice(0, at + 1).map((one) =>
    `${text(one, "item_id")}: ${compared(one, meant)}`
  );
  return `${words}. ${steps.join("; ")}. ${words} ${id}`;
}

function compared(variant: JsonObject, meant: JsonObject): string {
  const wanted = [...row(meant, "options") ?? []];
  const options = row(variant, "options");
  const differs = wanted.findIndex(([key, value]) =>
    options?.get(key) !== value
  );
  const shown = differs < 0 ? wanted : wanted.slice(0, differs + 1);
  const pairs = shown.map(([key, value]) => `${value}/${options?.get(key)}`);
  return `${pairs.join(" ")} ${differs < 0 ? "yes" : "no"}`;
}

/** Whether an order that was just read is the one with an item: `Lamp? not in #W1`. */
export function orderThought(
  item: string,
  { orderId, isIn }: { orderId: string; isIn: boolean },
): string {
  return `${item}? ${isIn ? "in" : "not in"} ${orderId}`;
}

/** A note on the way to the next order; it goes on from an id as the user's profile does, so that the next is read off. */
export function nextOrderNote(last: string, next: string): string {
  return `not "${last}", "${next}" then.`;
}
