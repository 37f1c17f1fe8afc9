/** Phrases the expert's thoughts during a search, in steps that are small enough for a small model to imitate. */

import type { JsonObject } from "../../../python/python_value.ts";
import { row, rows, text } from "../../shared/read_row.ts";

/**
 * Returns a thought that searches a product's variants and ends with the matching variant. It compares each variant's
 * options with the wanted options up to the first difference: `blue, large. 12: blue/red no; 34: blue/blue large/large
 * yes. blue, large 34`. A product's row lists each variant's id before the variant's options, so a small model cannot
 * find the matching id in one step.
 * @param words The user's words for the wanted variant.
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

/** Returns a thought on whether an order that was just read contains an item: `Lamp? not in #W1`. */
export function orderThought(
  item: string,
  { orderId, isIn }: { orderId: string; isIn: boolean },
): string {
  return `${item}? ${isIn ? "in" : "not in"} ${orderId}`;
}

/**
 * Returns a thought that leads to the next order. It names the next id right after the last id, as the profile does, so
 * that a small model can copy it from the profile.
 */
export function nextOrderNote(last: string, next: string): string {
  return `not "${last}", "${next}" then.`;
}
