/** Paying from a user's profile: gift cards and certificates hold an amount, credit cards pay anything. */

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

/** A payment method by its id; `undefined` if the user has none of that id. */
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

/** What kind of money it is. */
export function sourceOf(method: JsonObject): string {
  return textAt(method, "source");
}

/**
 * Whether it holds less than `amount`. Neither need be a number: a certificate can be given for anything.
 * @throws {ToolError} If they have no order.
 */
export function holdsLess(method: JsonObject, amount: JsonValue): boolean {
  return isLess(member(method, "amount"), amount);
}

/** A change of a reservation that costs something. */
export interface Charge {
  readonly reservation: JsonObject;
  readonly paymentId: JsonValue;
  /** Negative where money comes back. */
  readonly price: PythonNumber;
}

/**
 * Checks that a change can be paid by the method.
 * @throws {ToolError} If it cannot.
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

/** Takes the price from the method, if it is a gift card. */
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

/** Notes a price that is not 0 in the reservation. @throws {ToolError} If its history is no list, as a booking may leave it. */
export function notePrice({ reservation, paymentId, price }: Charge): void {
  if (compare(price, 0) === 0) return;
  historyOf(reservation, "append").push(payment(paymentId, price));
}

/** An entry of a payment history. */
export function payment(id: JsonValue, amount: PythonNumber): JsonObject {
  return new Map<string, JsonValue>([["payment_id", id], ["amount", amount]]);
}

/** The payments of a reservation, to be added to. @throws {ToolError} If they are no list. */
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

/** Takes `amount` from a method's own. */
export function spend(method: JsonObject, amount: PythonNumber): void {
  method.set("amount", subtract(numberAt(method, "amount"), amount));
}
