/** Looks up the orders and payment methods that a call refers to, with τ-bench's error messages. */

import type { Database } from "../../database.ts";
import { ToolError } from "../../errors.ts";
import { add, compare, round2 } from "../../python/python_number.ts";
import { findId } from "../shared/lookup.ts";
import { asKey, keyError, member } from "../../python/python_object.ts";
import type {
  JsonObject,
  JsonValue,
  PythonNumber,
} from "../../python/python_value.ts";
import { numberAt, objectAt, textAt } from "../../row.ts";

/**
 * Finds an order with a given status.
 * @throws {ToolError} If the order does not exist. If it has another status, the error's message is `wrongStatus`.
 */
export function findOrder(
  database: Database,
  orderId: JsonValue,
  { status, wrongStatus }: { status: string; wrongStatus: string },
): { id: string; order: JsonObject } {
  const id = findId(database, ORDERS, orderId);
  const order = database.get("orders", id) ?? new Map();
  if (textAt(order, "status") !== status) throw new ToolError(wrongStatus);
  return { id, order };
}

/**
 * Finds a payment method of the order's user.
 * @throws {ToolError} If the user has no such method, or does not exist.
 */
export function findPaymentMethod(
  database: Database,
  order: JsonObject,
  methodId: JsonValue,
): { methodId: string; method: JsonObject } {
  const methods = paymentMethods(database, order);
  const key = asKey(methodId);
  if (key === undefined || !methods.has(key)) {
    throw new ToolError("payment method not found");
  }
  return { methodId: key, method: objectAt(methods, key) };
}

/** Checks whether a payment method is a gift card. */
export function isGiftCard(method: JsonObject): boolean {
  return member(method, "source") === "gift_card";
}

/** Checks whether a payment method is a gift card with a balance below the amount. */
export function cannotPay(method: JsonObject, amount: PythonNumber): boolean {
  return isGiftCard(method) && compare(numberAt(method, "balance"), amount) < 0;
}

/**
 * Adds an amount to the balance of a gift card that belongs to the order's user, and rounds the balance to cents.
 * @throws {ToolError} If the user has no payment method with this id, with the message of Python's `KeyError`.
 */
export function creditGiftCard(
  database: Database,
  order: JsonObject,
  { methodId, amount }: { methodId: string; amount: PythonNumber },
): void {
  const card = editPaymentMethod(database, order, methodId);
  card.set("balance", round2(add(numberAt(card, "balance"), amount)));
}

/**
 * Returns a payment method of the order's user for writing.
 * @throws {ToolError} If the user has no payment method with this id, with the message of Python's `KeyError`.
 */
function editPaymentMethod(
  database: Database,
  order: JsonObject,
  methodId: string,
): JsonObject {
  const methods = paymentMethods(database, order);
  if (!methods.has(methodId)) throw keyError(methodId);
  const user = database.edit("users", textAt(order, "user_id"));
  return objectAt(objectAt(user ?? new Map(), "payment_methods"), methodId);
}

const ORDERS = { table: "orders", noun: "order" } as const;

function paymentMethods(database: Database, order: JsonObject): JsonObject {
  const userId = textAt(order, "user_id");
  const user = database.get("users", userId);
  if (user === undefined) throw keyError(userId);
  return objectAt(user, "payment_methods");
}
