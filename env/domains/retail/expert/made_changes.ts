/** Computes what the expert's changes cost a user, as arithmetic expressions for the calculator tool. */

import type { Desk, MadeCall } from "../../../agents/desk.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { rows, text, texts } from "../../shared/read_row.ts";

/** A change that the expert made to an order. */
export interface MadeChange {
  readonly orderId: string;
  readonly items: readonly JsonObject[];
  /** The variants that replaced the items. */
  readonly variants: readonly JsonObject[];
  /**
   * The amounts as the tools print them, with the sign `+` if the user gets the amount back, or `-` if the user pays
   * it.
   */
  readonly terms: readonly Term[];
}

interface Term {
  readonly sign: "+" | "-";
  readonly amount: string;
}

/** Returns the changes made to orders, oldest first. */
export function changesMadeBy({ calls }: Desk): MadeChange[] {
  return calls.flatMap(({ action: { name, arguments: args } }, i) => {
    const orderId = text(args, "order_id");
    if (orderId === "" || name.startsWith("get_")) return [];
    const before = orderBefore(calls.slice(0, i), orderId);
    const items = texts(args, "item_ids").flatMap((id) =>
      rows(before, "items").find((item) => text(item, "item_id") === id) ?? []
    );
    const variants = texts(args, "new_item_ids").flatMap((id) =>
      variantOf(calls, id) ?? []
    );
    const paid = name.startsWith("cancel_")
      ? rows(before, "payment_history").slice(0, 1)
      : [];
    const terms = [
      ...paid.map((one) => term("+", one.get("amount"))),
      ...items.flatMap((item, i) => [
        term("+", item.get("price")),
        ...variants.slice(i, i + 1).map((one) => term("-", one.get("price"))),
      ]),
    ];
    return [{ orderId, items, variants, terms }];
  });
}

function orderBefore(calls: readonly MadeCall[], orderId: string) {
  return calls.findLast(({ shown }) => text(shown, "order_id") === orderId)
    ?.shown;
}

function variantOf(calls: readonly MadeCall[], id: string) {
  return calls.flatMap(({ shown }) => rows(shown, "variants"))
    .find((variant) => text(variant, "item_id") === id);
}

function term(sign: Term["sign"], amount: JsonValue | undefined): Term {
  return { sign, amount: printPythonJson(amount ?? 0) };
}

/** Returns an arithmetic expression for the user's total refund: `12.5 + 3.0 - 8.0`. */
export function refundExpression(changes: readonly MadeChange[]): string {
  return expression(changes.flatMap(({ terms }) => terms));
}

/** Returns an arithmetic expression for the user's total cost, which is the negated refund. */
export function costExpression(changes: readonly MadeChange[]): string {
  return expression(
    changes.flatMap(({ terms }) => terms).map(({ sign, amount }) => ({
      sign: sign === "+" ? "-" : "+",
      amount,
    })),
  );
}

/** Joins terms into an expression, with positive terms first because the calculator does not accept a leading sign. */
function expression(terms: readonly Term[]): string {
  const added = terms.filter(({ sign }) => sign === "+");
  const taken = terms.filter(({ sign }) => sign === "-");
  return [...added, ...taken].map(({ sign, amount }) => `${sign} ${amount}`)
    .join(" ").replace(/^\+ /, "");
}
