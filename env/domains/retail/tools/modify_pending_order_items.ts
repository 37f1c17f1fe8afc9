import type { Database } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { absolute, compare, negate } from "../../../python/python_number.ts";
import { keyError, member } from "../../../python/python_object.ts";
import {
  copyValue,
  type JsonObject,
  type PythonNumber,
} from "../../../python/python_value.ts";
import { listAt } from "../../../row.ts";
import { defineTool } from "../../../tool.ts";
import { ledgerEntry } from "../ledger.ts";
import {
  findVariant,
  firstItem,
  type ItemPair,
  pairItems,
  priceDifference,
} from "../items.ts";
import { editRow } from "../../shared/lookup.ts";
import {
  cannotPay,
  creditGiftCard,
  findOrder,
  findPaymentMethod,
  isGiftCard,
} from "../order_lookup.ts";

/**
 * Changes items of a pending order to other variants of their products, and settles the price difference. Possible only
 * once per order.
 */
export const modifyPendingOrderItems = defineTool({
  name: "modify_pending_order_items",
  parameters: ["order_id", "item_ids", "new_item_ids", "payment_method_id"],
  run(database, { order_id, item_ids, new_item_ids, payment_method_id }) {
    const { id, order } = findOrder(database, order_id, {
      status: "pending",
      wrongStatus: "non-pending order cannot be modified",
    });
    const pairs = pairItems(order, item_ids, new_item_ids);
    const difference = priceDifference(database, order, pairs);
    const { methodId, method } = findPaymentMethod(
      database,
      order,
      payment_method_id,
    );
    if (cannotPay(method, difference)) {
      throw new ToolError(
        "insufficient gift card balance to pay for the new item",
      );
    }
    const row = editRow(database, "orders", id);
    listAt(row, "payment_history").push(settlement(difference, methodId));
    if (isGiftCard(method)) {
      creditGiftCard(database, order, {
        methodId,
        amount: negate(difference),
      });
    }
    for (const pair of pairs) replaceItem(database, row, pair);
    return printPythonJson(row.set("status", "pending (item modified)"));
  },
});

/** Returns the payment history entry for the price difference. The amount is not rounded. */
function settlement(difference: PythonNumber, methodId: string): JsonObject {
  return ledgerEntry(compare(difference, 0) > 0 ? "payment" : "refund", {
    amount: absolute(difference),
    methodId,
  });
}

/** Replaces the first item in the order that has the old id with the new variant. */
function replaceItem(
  database: Database,
  order: JsonObject,
  [itemId, newItemId]: ItemPair,
): void {
  const item = firstItem(order, itemId);
  const variant = findVariant(database, item, newItemId);
  if (variant === undefined) throw keyError(String(newItemId));
  item.set("item_id", newItemId)
    .set("price", member(variant, "price"))
    .set("options", copyValue(member(variant, "options")));
}
