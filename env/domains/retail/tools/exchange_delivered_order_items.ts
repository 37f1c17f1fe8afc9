import { ToolError } from "../../../errors.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { round2 } from "../../../python/python_number.ts";
import { defineTool } from "../../../tool.ts";
import { sortedElements } from "../../shared/item_ids.ts";
import { pairItems, priceDifference } from "../items.ts";
import { editRow } from "../../shared/lookup.ts";
import { cannotPay, findOrder, findPaymentMethod } from "../order_lookup.ts";

/**
 * Requests the exchange of items from a delivered order for other variants of the same products. Nothing is charged
 * yet.
 */
export const exchangeDeliveredOrderItems = defineTool({
  name: "exchange_delivered_order_items",
  parameters: ["order_id", "item_ids", "new_item_ids", "payment_method_id"],
  run(database, { order_id, item_ids, new_item_ids, payment_method_id }) {
    const { id, order } = findOrder(database, order_id, {
      status: "delivered",
      wrongStatus: "non-delivered order cannot be exchanged",
    });
    const pairs = pairItems(order, item_ids, new_item_ids);
    const difference = round2(priceDifference(database, order, pairs));
    const { methodId, method } = findPaymentMethod(
      database,
      order,
      payment_method_id,
    );
    if (cannotPay(method, difference)) {
      throw new ToolError(
        "insufficient gift card balance to pay for the price difference",
      );
    }
    const row = editRow(database, "orders", id)
      .set("status", "exchange requested")
      .set("exchange_items", sortedElements(item_ids))
      .set("exchange_new_items", sortedElements(new_item_ids))
      .set("exchange_payment_method_id", methodId)
      .set("exchange_price_difference", difference);
    return printPythonJson(row);
  },
});
