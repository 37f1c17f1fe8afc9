import { ToolError } from "../../../errors.ts";
import { objectsAt } from "../../../row.ts";
import { findAbsentItem, sortedElements } from "../../shared/item_ids.ts";
import { model } from "../../shared/toolkit/result_text.ts";
import { editOrder } from "../find_rows.ts";
import { PaymentMethod } from "../payment_methods.ts";
import { retailTool } from "../retail_tool.ts";

/** Requests the return of delivered items, with a refund to a gift card or to the original payment method. */
export const returnDeliveredOrderItems = retailTool({
  name: "return_delivered_order_items",
  kind: "write",
  parameters: ["order_id", "item_ids", "payment_method_id"],
  run(database, { order_id, item_ids, payment_method_id }) {
    const order = editOrder(database, order_id, {
      isRight: (status) => status === "delivered",
      refusal: "Non-delivered order cannot be returned",
    });
    const method = new PaymentMethod(database, order, payment_method_id);
    if (!method.isGiftCard) {
      const [first] = objectsAt(order, "payment_history");
      if (first === undefined) throw new ToolError("list index out of range");
      if (method.id !== first.get("payment_method_id")) {
        throw new ToolError(
          "Payment method should be the original payment method",
        );
      }
    }
    if (findAbsentItem(order, item_ids) !== undefined) {
      throw new ToolError("Some item not found");
    }
    order.set("status", "return requested")
      .set("return_items", sortedElements(item_ids))
      .set("return_payment_method_id", method.id);
    return model(order);
  },
});
