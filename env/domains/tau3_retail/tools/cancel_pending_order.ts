import { ToolError } from "../../../errors.ts";
import { asKey } from "../../../python/python_object.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { numberAt, objectsAt, textAt } from "../../../row.ts";
import { model } from "../../shared/toolkit/result_text.ts";
import { editOrder } from "../find_rows.ts";
import { orderPayment, PaymentMethod } from "../payment_methods.ts";
import { retailTool } from "../retail_tool.ts";

const REASONS: ReadonlySet<string> = new Set([
  "no longer needed",
  "ordered by mistake",
]);

/**
 * Cancels a pending order and records a refund for every entry of its payment history, including earlier refunds. Gift
 * cards are credited immediately.
 */
export const cancelPendingOrder = retailTool({
  name: "cancel_pending_order",
  kind: "write",
  parameters: ["order_id", "reason"],
  run(database, args) {
    const order = editOrder(database, args.order_id, {
      isRight: (status) => status === "pending",
      refusal: "Non-pending order cannot be cancelled",
    });
    const reason = asKey(args.reason);
    if (reason === undefined || !REASONS.has(reason)) {
      throw new ToolError("Invalid reason");
    }
    const history = objectsAt(order, "payment_history");
    const refunds = history.map((payment): JsonObject => {
      const amount = numberAt(payment, "amount");
      const id = textAt(payment, "payment_method_id");
      new PaymentMethod(database, order, id).receive(amount);
      return orderPayment("refund", amount, id);
    });
    order.set("status", "cancelled").set("cancel_reason", reason);
    history.push(...refunds);
    return model(order);
  },
});
