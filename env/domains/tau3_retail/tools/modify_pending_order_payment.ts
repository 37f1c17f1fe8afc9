import { ToolError } from "../../../errors.ts";
import { model } from "../../shared/toolkit/result_text.ts";
import { numberAt, objectsAt, textAt } from "../../../row.ts";
import { editOrder } from "../find_rows.ts";
import { orderPayment, PaymentMethod } from "../payment_methods.ts";
import { retailTool } from "../retail_tool.ts";

/** Changes the payment method of a pending order whose payment history consists of exactly one payment. */
export const modifyPendingOrderPayment = retailTool({
  name: "modify_pending_order_payment",
  kind: "write",
  parameters: ["order_id", "payment_method_id"],
  run(database, { order_id, payment_method_id }) {
    const order = editOrder(database, order_id, {
      isRight: (status) => status.includes("pending"),
      refusal: "Non-pending order cannot be modified",
    });
    const method = new PaymentMethod(database, order, payment_method_id);
    const history = objectsAt(order, "payment_history");
    const [payment, ...more] = history;
    if (
      payment === undefined || more.length > 0 ||
      textAt(payment, "transaction_type") !== "payment"
    ) {
      throw new ToolError(
        "There should be exactly one payment for a pending order",
      );
    }
    const before = textAt(payment, "payment_method_id");
    if (before === method.id) {
      throw new ToolError(
        "The new payment method should be different from the current one",
      );
    }
    const amount = numberAt(payment, "amount");
    if (method.holdsLess(amount)) {
      throw new ToolError(
        "Insufficient gift card balance to pay for the order",
      );
    }
    history.push(
      orderPayment("payment", amount, method.id),
      orderPayment("refund", amount, before),
    );
    method.pay(amount);
    new PaymentMethod(database, order, before).receive(amount);
    return model(order);
  },
});
