/**
 * Decides which requests the expert refuses. Applies the policy's rules to the user's statements and to the rows that
 * the tools have shown.
 */

import type { Desk } from "../../../agents/desk.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { numberIn, row, rows, text } from "../../shared/read_row.ts";
import type { Intent, RetailRequest } from "../goal/request.ts";
import { orderRefusal, type RuleClause, ruleRefusal } from "./expert_words.ts";

/** The resolved details of a request. */
export interface Details {
  readonly order: JsonObject | undefined;
  readonly items: readonly JsonObject[];
  /** The replacement variants, in the order of `items`. */
  readonly variants: readonly JsonObject[];
  readonly paymentId: string;
}

/**
 * Returns the reason for refusing a request because of its order's owner or status, or `undefined` if both allow the
 * request or the order was not found.
 */
export function orderRefused(
  desk: Desk,
  { request, orderId }: { request: RetailRequest; orderId: string },
): string | undefined {
  const order = desk.row("order_id", orderId);
  if (order === undefined) return undefined;
  if (text(order, "user_id") !== desk.userId) {
    return orderRefusal({ request, orderId, status: undefined });
  }
  const status = text(order, "status");
  return status === NEEDED_STATUS[request.intent]
    ? undefined
    : orderRefusal({ request, orderId, status });
}

const NEEDED_STATUS: Readonly<Partial<Record<Intent, string>>> = {
  cancel: "pending",
  modify_items: "pending",
  modify_address: "pending",
  modify_payment: "pending",
  return: "delivered",
  exchange: "delivered",
};

const REASONS: readonly string[] = ["no longer needed", "ordered by mistake"];

/**
 * Returns the reason for refusing a request's details, or `undefined` if they break no rule that the expert can check
 * with the rows shown.
 */
export function detailsRefused(
  desk: Desk,
  { request, details }: { request: RetailRequest; details: Details },
): string | undefined {
  const { intent, reason, items = [], newItems = [], otherProduct } = request;
  const broken = (clause: RuleClause, i = 0) =>
    ruleRefusal({ clause, request, item: items[i], newItem: newItems[i] });
  if (intent === "cancel" && !REASONS.includes(reason ?? "")) {
    return broken("cancel.reason");
  }
  if (otherProduct === true) return broken("items.same_product");
  const absent = details.variants.findIndex((one) =>
    one.get("available") !== true
  );
  if (absent >= 0) return broken("items.in_stock", absent);
  if (costs(intent, details) > held(desk.user, details.paymentId) + 0.005) {
    return broken("payment.covers");
  }
  const { order, paymentId } = details;
  return intent === "return" && paymentId !== paidBy(order) &&
      !paymentId.startsWith("gift_card")
    ? broken("return.refund_to")
    : undefined;
}

/** Returns the id of the payment method that originally paid for an order. */
export function paidBy(order: JsonObject | undefined): string {
  return text(rows(order, "payment_history")[0], "payment_method_id");
}

/**
 * Returns the amount that the user has to pay for new variants or with a new payment method, in dollars. The amount is
 * negative if the new variants are cheaper, and 0 for any other request.
 */
function costs(intent: Intent, { order, items, variants }: Details): number {
  if (intent === "modify_payment") {
    return numberIn(rows(order, "payment_history")[0], "amount");
  }
  return variants.reduce(
    (sum, variant, i) =>
      sum + numberIn(variant, "price") - numberIn(items[i], "price"),
    0,
  );
}

/**
 * Returns the balance of a gift card in the profile, in dollars. Returns `Infinity` for any other payment method, or if
 * the profile was not read.
 */
function held(profile: JsonObject | undefined, id: string): number {
  const method = row(row(profile, "payment_methods"), id);
  return text(method, "source") === "gift_card"
    ? numberIn(method, "balance")
    : Infinity;
}
