/** Looks up an order's items and their replacements, and computes the price difference. */

import type { Database } from "../../database.ts";
import { ToolError } from "../../errors.ts";
import { add, subtract } from "../../python/python_number.ts";
import {
  asKey,
  elements,
  keyError,
  length,
} from "../../python/python_object.ts";
import { pythonStr } from "../../python/python_repr.ts";
import type {
  JsonObject,
  JsonValue,
  PythonNumber,
} from "../../python/python_value.ts";
import { numberAt, objectAt, objectsAt, textAt } from "../../row.ts";
import { findAbsentItem } from "../shared/item_ids.ts";

/** An item's id as given in the call, and the id of its replacement. */
export type ItemPair = readonly [itemId: JsonValue, newItemId: JsonValue];

/**
 * Pairs the items with their replacements.
 * @throws {ToolError} If the order does not contain the items, or the lists differ in length.
 */
export function pairItems(
  order: JsonObject,
  itemIds: JsonValue,
  newItemIds: JsonValue,
): readonly ItemPair[] {
  const absent = findAbsentItem(order, itemIds);
  if (absent !== undefined) {
    throw new ToolError(`${pythonStr(absent)} not found`);
  }
  if (length(itemIds) !== length(newItemIds)) {
    throw new ToolError("the number of items to be exchanged should match");
  }
  const olds = elements(itemIds);
  return elements(newItemIds).map((id, i) => [olds[i] ?? null, id]);
}

/**
 * Returns the price of the new items minus the price of the old items, in dollars and without rounding.
 * @throws {ToolError} If a new item is not an available variant of the old item's product.
 */
export function priceDifference(
  database: Database,
  order: JsonObject,
  pairs: readonly ItemPair[],
): PythonNumber {
  let difference: PythonNumber = 0;
  for (const [itemId, newItemId] of pairs) {
    const item = firstItem(order, itemId);
    const variant = findVariant(database, item, newItemId);
    if (variant?.get("available") !== true) {
      throw new ToolError(
        `new item ${pythonStr(newItemId)} not found or available`,
      );
    }
    difference = add(
      difference,
      subtract(numberAt(variant, "price"), numberAt(item, "price")),
    );
  }
  return difference;
}

/**
 * Returns the order's first item with the given id.
 * @throws {ToolError} If there is no such item, with the message of Python's `IndexError`.
 */
export function firstItem(order: JsonObject, itemId: JsonValue): JsonObject {
  const item = objectsAt(order, "items").find((item) =>
    item.get("item_id") === itemId
  );
  if (item === undefined) throw new ToolError("list index out of range");
  return item;
}

/**
 * Finds the variant with the given id in the item's product, or returns `undefined` if the product does not have it.
 * @throws {ToolError} If the product does not exist, with the message of Python's `KeyError`.
 */
export function findVariant(
  database: Database,
  item: JsonObject,
  variantId: JsonValue,
): JsonObject | undefined {
  const productId = textAt(item, "product_id");
  const product = database.get("products", productId);
  if (product === undefined) throw keyError(productId);
  const variants = objectAt(product, "variants");
  const key = asKey(variantId);
  return key !== undefined && variants.has(key)
    ? objectAt(variants, key)
    : undefined;
}
