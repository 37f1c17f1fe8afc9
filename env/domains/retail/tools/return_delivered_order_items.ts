import { ToolError } from "../../../errors.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { objectsAt, textAt } from "../../../row.ts";
import { defineTool } from "../../../tool.ts";
import { findAbsentItem, sortedElements } from "../../shared/item_ids.ts";
import { editRow } from "../../shared/lookup.ts";
import { findOrder, findPaymentMethod } from "../order_lookup.ts";

/** Requests the return of items from a delivered order, with a refund to the original payment method or a gift card. */
export const returnDeliveredOrderItems = defineTool({
  name: "return_delivered_order_items",
  parameters: ["order_id", "item_ids", "payment_method_id"],
  run(database, { order_id, item_ids, payment_method_id }) {
    const { id, order } = findOrder(database, order_id, {
      status: "delivered",
      wrongStatus: "non-delivered order cannot be returned",
    });
    const { methodId } = findPaymentMethod(database, order, payment_method_id);
    if (!methodId.includes("gift_card") && methodId !== payerOf(order)) {
      throw new ToolError(
        "payment method should be either the original payment method or a gift card",
      );
    }
    if (findAbsentItem(order, item_ids) !== undefined) {
      throw new ToolError("some item not found");
    }
    const row = editRow(database, "orders", id)
      .set("status", "return requested")
      .set("return_items", sortedElements(item_ids))
      .set("return_payment_method_id", methodId);
    return printPythonJson(row);
  },
});

/** Returns the id of the payment method used for the order's first payment. */
function payerOf(order: JsonObject): string {
  const [payment] = objectsAt(order, "payment_history");
  if (payment === undefined) throw new ToolError("list index out of range");
  return textAt(payment, "payment_method_id");
}
