import type { Database } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { listAt, numberAt, objectsAt, textAt } from "../../../row.ts";
import { defineTool } from "../../../tool.ts";
import { ledgerEntry } from "../ledger.ts";
import { editRow } from "../../shared/lookup.ts";
import { creditGiftCard, findOrder } from "../order_lookup.ts";

const REASONS: readonly unknown[] = ["no longer needed", "ordered by mistake"];

/**
 * Cancels a pending order and refunds every entry of its payment history, including earlier refunds. Gift cards are
 * credited immediately.
 */
export const cancelPendingOrder = defineTool({
  name: "cancel_pending_order",
  parameters: ["order_id", "reason"],
  run(database, { order_id, reason }) {
    const { id, order } = findOrder(database, order_id, {
      status: "pending",
      wrongStatus: "non-pending order cannot be cancelled",
    });
    if (!REASONS.includes(reason)) throw new ToolError("invalid reason");
    const refunds = objectsAt(order, "payment_history").map((payment) =>
      refund(database, order, payment)
    );
    const row = editRow(database, "orders", id)
      .set("status", "cancelled")
      .set("cancel_reason", reason);
    listAt(row, "payment_history").push(...refunds);
    return printPythonJson(row);
  },
});

/** Returns the refund of a payment. Credits the amount to the payment method if the method is a gift card. */
function refund(
  database: Database,
  order: JsonObject,
  payment: JsonObject,
): JsonObject {
  const methodId = textAt(payment, "payment_method_id");
  const amount = numberAt(payment, "amount");
  if (methodId.includes("gift_card")) {
    creditGiftCard(database, order, { methodId, amount });
  }
  return ledgerEntry("refund", { amount, methodId });
}
