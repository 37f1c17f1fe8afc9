/** The user's tools for payment requests. */

import type { Database } from "../../../database.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { editSurroundings, surroundings } from "../phone/phone_rows.ts";
import { check, phoneTool } from "./phone_tool.ts";

export const checkPaymentRequest = check(
  "check_payment_request",
  (database) => {
    const request = requestOf(surroundings(database));
    return request === undefined
      ? "No payment request has been made."
      : `You have a payment request for bill ${bill(request)} of ${
        amount(request)
      } USD.`;
  },
);

export const makePayment = phoneTool({
  name: "make_payment",
  kind: "write",
  parameters: [],
  run(database: Database) {
    if (requestOf(surroundings(database)) === undefined) {
      return "You do not have a payment request.";
    }
    const request = requestOf(editSurroundings(database)) ?? new Map();
    request.set("paid", true);
    return `Payment of ${amount(request)} USD has been made for bill ${
      bill(request)
    }.`;
  },
});

function requestOf(around: JsonObject): JsonObject | undefined {
  const request = around.get("payment_request");
  return request instanceof Map ? request : undefined;
}

function bill(request: JsonObject): string {
  return pythonStr(request.get("bill_id") ?? null);
}

function amount(request: JsonObject): string {
  return pythonStr(request.get("amount_due") ?? null);
}
