/** Finds the payment methods of an order's user, and pays with them. */

import type { Database } from "../../database.ts";
import { ToolError } from "../../errors.ts";
import { validate } from "../../python/pydantic.ts";
import { add, compare, negate, round2 } from "../../python/python_number.ts";
import { asKey } from "../../python/python_object.ts";
import type {
  JsonObject,
  JsonValue,
  PythonNumber,
} from "../../python/python_value.ts";
import { numberAt, objectAt, textAt } from "../../row.ts";
import { editRow } from "../shared/lookup.ts";
import { userId } from "./find_rows.ts";
import { OrderPayment } from "./models.ts";

/** A user's payment method. Only gift cards have a balance. */
export class PaymentMethod {
  readonly #database: Database;
  readonly #owner: string;
  readonly id: string;

  /**
   * Finds the payment method with the given id.
   * @throws {ToolError} If the order's user has no payment method with this id.
   */
  constructor(database: Database, order: JsonObject, id: JsonValue) {
    const owner = userId(database, order.get("user_id") ?? null);
    const methods = objectAt(database.get("users", owner)!, "payment_methods");
    const key = asKey(id);
    if (key === undefined || !methods.has(key)) {
      throw new ToolError("Payment method not found");
    }
    this.#database = database;
    this.#owner = owner;
    this.id = key;
  }

  get isGiftCard(): boolean {
    const user = this.#database.get("users", this.#owner)!;
    return textAt(this.#in(user), "source") === "gift_card";
  }

  /**
   * Checks whether the payment method is a gift card with a balance below the amount. Other payment methods cover any
   * amount.
   */
  holdsLess(amount: PythonNumber): boolean {
    const user = this.#database.get("users", this.#owner)!;
    return this.isGiftCard &&
      compare(numberAt(this.#in(user), "balance"), amount) < 0;
  }

  /**
   * Adds an amount to the balance of a gift card, and rounds the balance to cents. Has no effect on other payment
   * methods.
   */
  receive(amount: PythonNumber): void {
    if (!this.isGiftCard) return;
    const method = this.#in(editRow(this.#database, "users", this.#owner));
    method.set("balance", round2(add(numberAt(method, "balance"), amount)));
  }

  /** Subtracts an amount from the balance of a gift card. Has no effect on other payment methods. */
  pay(amount: PythonNumber): void {
    this.receive(negate(amount));
  }

  #in(user: JsonObject): JsonObject {
    return objectAt(objectAt(user, "payment_methods"), this.id);
  }
}

/** Creates an entry of an order's payment history. */
export function orderPayment(
  type: "payment" | "refund",
  amount: PythonNumber,
  methodId: string,
): JsonObject {
  return validate(
    OrderPayment,
    new Map<string, JsonValue>([
      ["transaction_type", type],
      ["amount", amount],
      ["payment_method_id", methodId],
    ]),
  );
}
