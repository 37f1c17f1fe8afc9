/** What the expert has done for a user, in money: sums that users ask for, as expressions for the calculator. */

import type { Desk, MadeCall } from "../../../agents/desk.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { rows, text, texts } from "../../shared/read_row.ts";

/** A write that was made to an order. */
export interface Deed {
  readonly orderId: string;
  readonly items: readonly JsonObject[];
  /** What they became. */
  readonly variants: readonly JsonObject[];
  /** Amounts that go to the user (`+`) and that they pay (`-`), as the tools show them. */
  readonly terms: readonly Term[];
}

interface Term {
  readonly sign: "+" | "-";
  readonly amount: string;
}

/** The writes to orders, in their order. */
export function deedsOn({ calls }: Desk): Deed[] {
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

/** What comes back to the user: `12.5 + 3.0 - 8.0`. */
export function refundExpression(deeds: readonly Deed[]): string {
  return expression(deeds.flatMap(({ terms }) => terms));
}

/** What the user pays, of the same deeds. */
export function costExpression(deeds: readonly Deed[]): string {
  return expression(
    deeds.flatMap(({ terms }) => terms).map(({ sign, amount }) => ({
      sign: sign === "+" ? "-" : "+",
      amount,
    })),
  );
}

/** Begins with a term that is added, where there is one: the calculator takes no sign of its own from users. */
function expression(terms: readonly Term[]): string {
  const added = terms.filter(({ sign }) => sign === "+");
  const taken = terms.filter(({ sign }) => sign === "-");
  return [...added, ...taken].map(({ sign, amount }) => `${sign} ${amount}`)
    .join(" ").replace(/^\+ /, "");
}
