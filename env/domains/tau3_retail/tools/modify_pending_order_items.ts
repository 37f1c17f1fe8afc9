import { ToolError } from "../../../errors.ts";
import { absolute, compare } from "../../../python/python_number.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import { copyValue } from "../../../python/python_value.ts";
import { listAt } from "../../../row.ts";
import { findAbsentItem } from "../../shared/item_ids.ts";
import { model } from "../../shared/toolkit/result_text.ts";
import { editOrder } from "../find_rows.ts";
import { findNewItems, itemOf, priceDifference } from "../new_items.ts";
import { orderPayment, PaymentMethod } from "../payment_methods.ts";
import { retailTool } from "../retail_tool.ts";

/**
 * Changes items of a pending order to other variants, once per order, and charges or refunds the price difference. As
 * in the original, all changed items get the price and options of the last new variant.
 */
export const modifyPendingOrderItems = retailTool({
  name: "modify_pending_order_items",
  kind: "write",
  parameters: ["order_id", "item_ids", "new_item_ids", "payment_method_id"],
  run(database, { order_id, item_ids, new_item_ids, payment_method_id }) {
    const order = editOrder(database, order_id, {
      isRight: (status) => status === "pending",
      refusal: "Non-pending order cannot be modified",
    });
    const absent = findAbsentItem(order, item_ids);
    if (absent !== undefined) {
      throw new ToolError(`${pythonStr(absent)} not found`);
    }
    const items = findNewItems(database, {
      order,
      itemIds: item_ids,
      newItemIds: new_item_ids,
      lengthError: "The number of items to be exchanged should match",
      allowsSame: false,
    });
    const difference = priceDifference(order, items);
    const method = new PaymentMethod(database, order, payment_method_id);
    if (method.holdsLess(difference)) {
      throw new ToolError(
        "Insufficient gift card balance to pay for the new item",
      );
    }
    const type = compare(difference, 0) > 0 ? "payment" : "refund";
    listAt(order, "payment_history").push(
      orderPayment(type, absolute(difference), method.id),
    );
    method.pay(difference);
    const last = items.at(-1)?.variant;
    for (const { itemId, newItemId } of items) {
      itemOf(order, itemId)
        .set("item_id", newItemId)
        .set("price", last!.get("price")!)
        .set("options", copyValue(last!.get("options")!));
    }
    order.set("status", "pending (item modified)");
    return model(order);
  },
});
