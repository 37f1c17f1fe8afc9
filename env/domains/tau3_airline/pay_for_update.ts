/** Charges for changes to a reservation. */

import type { Database } from "../../database.ts";
import { ToolError } from "../../errors.ts";
import { validate } from "../../python/pydantic.ts";
import { compare, subtract } from "../../python/python_number.ts";
import { asKey } from "../../python/python_object.ts";
import type {
  JsonObject,
  JsonValue,
  PythonNumber,
} from "../../python/python_value.ts";
import { listAt, numberAt, objectAt, textAt } from "../../row.ts";
import { editRow } from "../shared/lookup.ts";
import { userId } from "./find_rows.ts";
import { Payment } from "./models.ts";

/** The price of a change to a reservation, and how it is paid. A negative price is a refund. */
export interface Update {
  readonly reservation: JsonObject;
  readonly paymentId: JsonValue;
  readonly price: PythonNumber;
}

/**
 * Deducts the price of a change if the payment method is a gift card, and appends the payment to the reservation's
 * history unless the price is 0.
 * @throws {ToolError} If the payment method does not belong to the user, is a certificate, or has too low a balance. If
 * the price is not an integer, the error is thrown after the gift card has been charged.
 */
export function payForUpdate(
  database: Database,
  { reservation, paymentId, price }: Update,
): void {
  const owner = userId(database, reservation.get("user_id") ?? null);
  const methods = objectAt(database.get("users", owner)!, "payment_methods");
  const id = asKey(paymentId);
  if (id === undefined || !methods.has(id)) {
    throw new ToolError("Payment method not found");
  }
  const method = objectAt(methods, id);
  const source = textAt(method, "source");
  if (source === "certificate") {
    throw new ToolError("Certificate cannot be used to update reservation");
  }
  if (source === "gift_card") {
    if (compare(numberAt(method, "amount"), price) < 0) {
      throw new ToolError("Gift card balance is not enough");
    }
    spendGiftCard(editRow(database, "users", owner), id, price);
  }
  if (compare(price, 0) === 0) return;
  const payment = new Map<string, JsonValue>([
    ["payment_id", id],
    ["amount", price],
  ]);
  listAt(reservation, "payment_history").push(validate(Payment, payment));
}

/** Subtracts an amount from the balance of a gift card. The balance may become negative. */
export function spendGiftCard(
  user: JsonObject,
  id: string,
  amount: PythonNumber,
): void {
  const method = objectAt(objectAt(user, "payment_methods"), id);
  method.set("amount", subtract(numberAt(method, "amount"), amount));
}
