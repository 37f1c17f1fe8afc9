import { ToolError } from "../../../errors.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { negate } from "../../../python/python_number.ts";
import type { JsonObject, PythonNumber } from "../../../python/python_value.ts";
import { listAt, numberAt, objectsAt, textAt } from "../../../row.ts";
import { defineTool } from "../../../tool.ts";
import { ledgerEntry } from "../ledger.ts";
import { editRow } from "../../shared/lookup.ts";
import {
  cannotPay,
  creditGiftCard,
  findOrder,
  findPaymentMethod,
  isGiftCard,
} from "../order_lookup.ts";

/** Changes the payment method of a pending order with exactly one payment. */
export const modifyPendingOrderPayment = defineTool({
  name: "modify_pending_order_payment",
  parameters: ["order_id", "payment_method_id"],
  run(database, { order_id, payment_method_id }) {
    const { id, order } = findOrder(database, order_id, {
      status: "pending",
      wrongStatus: "non-pending order cannot be modified",
    });
    const { methodId, method } = findPaymentMethod(
      database,
      order,
      payment_method_id,
    );
    const { amount, payer } = onlyPayment(order);
    if (payer === methodId) {
      throw new ToolError(
        "the new payment method should be different from the current one",
      );
    }
    if (cannotPay(method, amount)) {
      throw new ToolError(
        "insufficient gift card balance to pay for the order",
      );
    }
    const row = editRow(database, "orders", id);
    listAt(row, "payment_history").push(
      ledgerEntry("payment", { amount, methodId }),
      ledgerEntry("refund", { amount, methodId: payer }),
    );
    if (isGiftCard(method)) {
      creditGiftCard(database, order, { methodId, amount: negate(amount) });
    }
    if (payer.includes("gift_card")) {
      creditGiftCard(database, order, { methodId: payer, amount });
    }
    return printPythonJson(row);
  },
});

/**
 * Returns the order's only payment.
 * @throws {ToolError} If the order's payment history does not consist of exactly one payment.
 */
function onlyPayment(
  order: JsonObject,
): { amount: PythonNumber; payer: string } {
  const [payment, ...later] = objectsAt(order, "payment_history");
  if (payment === undefined) throw new ToolError("list index out of range");
  if (
    later.length > 0 || textAt(payment, "transaction_type") !== "payment"
  ) {
    throw new ToolError(
      "there should be exactly one payment for a pending order",
    );
  }
  return {
    amount: numberAt(payment, "amount"),
    payer: textAt(payment, "payment_method_id"),
  };
}
