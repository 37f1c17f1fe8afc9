/**
 * Checks, charges and records payments with the payment methods in a user's profile. Gift cards and certificates have a
 * balance; credit cards have no limit.
 */

import type { Database } from "../../database.ts";
import { ToolError } from "../../errors.ts";
import { compare, subtract } from "../../python/python_number.ts";
import { asKey, isLess, member, typeName } from "../../python/python_object.ts";
import type {
  JsonObject,
  JsonValue,
  PythonNumber,
} from "../../python/python_value.ts";
import { numberAt, objectAt, textAt } from "../../row.ts";
import { editRow } from "../shared/lookup.ts";

/** Returns a payment method by its id, or `undefined` if the user has none with that id. */
export function paymentMethod(
  user: JsonObject,
  id: JsonValue,
): JsonObject | undefined {
  const key = asKey(id);
  const methods = objectAt(user, "payment_methods");
  return key === undefined || !methods.has(key)
    ? undefined
    : objectAt(methods, key);
}

/** Returns the kind of a payment method: `credit_card`, `gift_card` or `certificate`. */
export function sourceOf(method: JsonObject): string {
  return textAt(method, "source");
}

/**
 * Checks whether a payment method's balance is less than `amount`. Either value may be something other than a number,
 * because a certificate can be issued for any value.
 * @throws {ToolError} If the two values cannot be compared.
 */
export function holdsLess(method: JsonObject, amount: JsonValue): boolean {
  return isLess(member(method, "amount"), amount);
}

/** The price of a change to a reservation, and how it is paid. */
export interface Charge {
  readonly reservation: JsonObject;
  readonly paymentId: JsonValue;
  /** The price in dollars; negative for a refund. */
  readonly price: PythonNumber;
}

/**
 * Checks that a change can be paid with its payment method.
 * @throws {ToolError} If the method is missing, is a certificate, or is a gift card whose balance is too low.
 */
export function checkCharge(database: Database, charge: Charge): void {
  const { reservation, paymentId, price } = charge;
  const owner = database.get("users", textAt(reservation, "user_id"));
  const method = paymentMethod(owner ?? new Map(), paymentId);
  if (method === undefined) throw new ToolError("payment method not found");
  const source = sourceOf(method);
  if (source === "certificate") {
    throw new ToolError("certificate cannot be used to update reservation");
  }
  if (source === "gift_card" && holdsLess(method, price)) {
    throw new ToolError("gift card balance is not enough");
  }
}

/** Deducts the price of a change from the payment method if the method is a gift card. */
export function takePrice(database: Database, charge: Charge): void {
  const userId = textAt(charge.reservation, "user_id");
  const method = paymentMethod(
    editRow(database, "users", userId),
    charge.paymentId,
  );
  if (method !== undefined && sourceOf(method) === "gift_card") {
    spend(method, charge.price);
  }
}

/**
 * Appends the price of a change to the reservation's payment history, unless the price is 0.
 * @throws {ToolError} If the history is not a list. A booking can store such a history.
 */
export function notePrice({ reservation, paymentId, price }: Charge): void {
  if (compare(price, 0) === 0) return;
  historyOf(reservation, "append").push(payment(paymentId, price));
}

/** Creates an entry for a payment history. */
export function payment(id: JsonValue, amount: PythonNumber): JsonObject {
  return new Map<string, JsonValue>([["payment_id", id], ["amount", amount]]);
}

/**
 * Returns a reservation's payment history, which the caller modifies in place.
 * @param method The Python method that the original calls on the history; an error message names it.
 * @throws {ToolError} If the history is not a list.
 */
export function historyOf(
  reservation: JsonObject,
  method: "append" | "extend",
): JsonValue[] {
  const history = member(reservation, "payment_history");
  if (Array.isArray(history)) return history;
  throw new ToolError(
    `'${typeName(history)}' object has no attribute '${method}'`,
  );
}

/** Subtracts `amount` from the balance of a payment method. */
export function spend(method: JsonObject, amount: PythonNumber): void {
  method.set("amount", subtract(numberAt(method, "amount"), amount));
}
