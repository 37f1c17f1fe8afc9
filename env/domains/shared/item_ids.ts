/** Reads the lists of item ids in calls. A list may be any Python iterable. */

import { ToolError } from "../../errors.ts";
import { elements, typeName } from "../../python/python_object.ts";
import { compareStrings } from "../../python/python_repr.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import { objectsAt, textAt } from "../../row.ts";

/**
 * Returns the first id that occurs more often in `itemIds` than in the order, or `undefined` if there is none.
 * @throws {ToolError} If `itemIds` is not iterable, or is a nonempty object, because a Python dict has no `count`
 * method.
 */
export function findAbsentItem(
  order: JsonObject,
  itemIds: JsonValue,
): JsonValue | undefined {
  const asked = elements(itemIds);
  if (itemIds instanceof Map && asked.length > 0) {
    throw new ToolError(
      `'${typeName(itemIds)}' object has no attribute 'count'`,
    );
  }
  const held = objectsAt(order, "items").map((item) => textAt(item, "item_id"));
  return asked.find((id) => count(asked, id) > count(held, id));
}

/** Returns Python's `sorted(itemIds)`. The ids must be ids of items in an existing order, so that they are strings. */
export function sortedElements(itemIds: JsonValue): string[] {
  return elements(itemIds).map(String).sort(compareStrings);
}

function count(values: readonly JsonValue[], value: JsonValue): number {
  return values.filter((other) => Object.is(other, value)).length;
}
