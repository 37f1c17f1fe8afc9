import { ToolError } from "../../../errors.ts";
import { round2 } from "../../../python/python_number.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import { findAbsentItem, sortedElements } from "../../shared/item_ids.ts";
import { model } from "../../shared/toolkit/result_text.ts";
import { editOrder } from "../find_rows.ts";
import { findNewItems, priceDifference } from "../new_items.ts";
import { PaymentMethod } from "../payment_methods.ts";
import { retailTool } from "../retail_tool.ts";

/** Requests the exchange of delivered items for other variants. Nothing is charged yet. */
export const exchangeDeliveredOrderItems = retailTool({
  name: "exchange_delivered_order_items",
  kind: "write",
  parameters: ["order_id", "item_ids", "new_item_ids", "payment_method_id"],
  run(database, { order_id, item_ids, new_item_ids, payment_method_id }) {
    const order = editOrder(database, order_id, {
      isRight: (status) => status === "delivered",
      refusal: "Non-delivered order cannot be exchanged",
    });
    const absent = findAbsentItem(order, item_ids);
    if (absent !== undefined) {
      throw new ToolError(`Number of ${pythonStr(absent)} not found.`);
    }
    const items = findNewItems(database, {
      order,
      itemIds: item_ids,
      newItemIds: new_item_ids,
      lengthError: "The number of items to be exchanged should match.",
      allowsSame: true,
    });
    const difference = round2(priceDifference(order, items));
    const method = new PaymentMethod(database, order, payment_method_id);
    if (method.holdsLess(difference)) {
      throw new ToolError(
        "Insufficient gift card balance to pay for the price difference",
      );
    }
    order.set("status", "exchange requested")
      .set("exchange_items", sortedElements(item_ids))
      .set("exchange_new_items", sortedElements(new_item_ids))
      .set("exchange_payment_method_id", method.id)
      .set("exchange_price_difference", difference);
    return model(order);
  },
});
