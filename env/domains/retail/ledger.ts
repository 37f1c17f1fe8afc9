/** Creates entries of an order's payment history. */

import type { JsonObject, PythonNumber } from "../../python/python_value.ts";

/** Returns a payment history entry in the stored format. */
export function ledgerEntry(
  type: "payment" | "refund",
  { amount, methodId }: { amount: PythonNumber; methodId: string },
): JsonObject {
  return new Map<string, PythonNumber | string>([
    ["transaction_type", type],
    ["amount", amount],
    ["payment_method_id", methodId],
  ]);
}
