/** Replaces an order's items with other variants of their products. */

import type { Database } from "../../database.ts";
import { ToolError } from "../../errors.ts";
import { add, subtract } from "../../python/python_number.ts";
import { elements, length } from "../../python/python_object.ts";
import { pythonStr } from "../../python/python_repr.ts";
import type {
  JsonObject,
  JsonValue,
  PythonNumber,
} from "../../python/python_value.ts";
import { numberAt, objectsAt, textAt } from "../../row.ts";
import { variantOf } from "./find_rows.ts";

/** An item's id as given in the call, and the variant that replaces the item. */
export interface NewItem {
  readonly itemId: JsonValue;
  readonly newItemId: JsonValue;
  readonly variant: JsonObject;
}

/** The arguments of a call that replaces items. */
export interface NewItemsRequest {
  readonly order: JsonObject;
  readonly itemIds: JsonValue;
  readonly newItemIds: JsonValue;
  /** The error message if the lists differ in length. */
  readonly lengthError: string;
  /** Whether an item may be replaced with the same variant. */
  readonly allowsSame: boolean;
}

/**
 * Pairs the items with their new variants.
 * @throws {ToolError} If the lists differ in length, if the order does not contain an item, if an item's product has no
 * available variant with the new id, or if a new id equals the old id although `allowsSame` is `false`.
 */
export function findNewItems(
  database: Database,
  { order, itemIds, newItemIds, lengthError, allowsSame }: NewItemsRequest,
): NewItem[] {
  if (length(itemIds) !== length(newItemIds)) {
    throw new ToolError(lengthError);
  }
  const news = elements(newItemIds);
  return elements(itemIds).map((itemId, i) => {
    const newItemId = news[i] ?? null;
    if (!allowsSame && itemId === newItemId) {
      throw new ToolError(
        "The new item id should be different from the old item id",
      );
    }
    const product = textAt(itemOf(order, itemId), "product_id");
    const variant = variantOf(database, product, newItemId);
    if (variant.get("available") === true) {
      return { itemId, newItemId, variant };
    }
    throw new ToolError(
      `New item ${pythonStr(newItemId)} not found or available`,
    );
  });
}

/**
 * Returns the price of the new items minus the price of the old items, in dollars and without rounding. The result is a
 * Python int if there are no items.
 */
export function priceDifference(
  order: JsonObject,
  items: readonly NewItem[],
): PythonNumber {
  let difference: PythonNumber = 0;
  for (const { itemId, variant } of items) {
    const more = subtract(
      numberAt(variant, "price"),
      numberAt(itemOf(order, itemId), "price"),
    );
    difference = add(difference, more);
  }
  return difference;
}

/**
 * Returns the order's first item with the given id.
 * @throws {ToolError} If the order has no item with this id.
 */
export function itemOf(order: JsonObject, itemId: JsonValue): JsonObject {
  const item = objectsAt(order, "items").find((item) =>
    item.get("item_id") === itemId
  );
  if (item !== undefined) return item;
  throw new ToolError(`Item ${pythonStr(itemId)} not found`);
}
