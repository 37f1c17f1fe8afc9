/** Items of an order that are to become other variants of their products. */

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

/** An item's id as the call gives it, and the variant that it is to become. */
export interface NewItem {
  readonly itemId: JsonValue;
  readonly newItemId: JsonValue;
  readonly variant: JsonObject;
}

/** What a call asks for. */
export interface NewItemsRequest {
  readonly order: JsonObject;
  readonly itemIds: JsonValue;
  readonly newItemIds: JsonValue;
  /** What is said where the lists differ in length. */
  readonly lengthRefusal: string;
  /** Whether an item may become what it is already. */
  readonly maySame: boolean;
}

/**
 * Pairs the items with their new variants.
 * @throws {ToolError} If there are not as many of both, or one is no available variant of the item's product.
 */
export function findNewItems(
  database: Database,
  { order, itemIds, newItemIds, lengthRefusal, maySame }: NewItemsRequest,
): NewItem[] {
  if (length(itemIds) !== length(newItemIds)) {
    throw new ToolError(lengthRefusal);
  }
  const news = elements(newItemIds);
  return elements(itemIds).map((itemId, i) => {
    const newItemId = news[i] ?? null;
    if (!maySame && itemId === newItemId) {
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

/** What the new items cost more than the old ones, not rounded; an int where there are none. */
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

/** The first item of an order that has the id. @throws {ToolError} If there is none. */
export function itemOf(order: JsonObject, itemId: JsonValue): JsonObject {
  const item = objectsAt(order, "items").find((item) =>
    item.get("item_id") === itemId
  );
  if (item !== undefined) return item;
  throw new ToolError(`Item ${pythonStr(itemId)} not found`);
}
