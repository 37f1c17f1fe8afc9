/** The retail policy, expressed as clauses that a program can check. `policy.md` states the same rules for agents. */

import type { Clause, PolicyCall } from "../../policy/clause.ts";

const REASONS = ["no longer needed", "ordered by mistake"];
const ITEM_TOOLS = [
  "modify_pending_order_items",
  "exchange_delivered_order_items",
];
const PENDING_TOOLS = [
  "cancel_pending_order",
  "modify_pending_order_address",
  "modify_pending_order_items",
  "modify_pending_order_payment",
];
const DELIVERED_TOOLS = [
  "return_delivered_order_items",
  "exchange_delivered_order_items",
];

/** The clauses of the retail policy. */
export const retailClauses: readonly Clause[] = [
  {
    id: "account.own_order",
    tools: [...PENDING_TOOLS, ...DELIVERED_TOOLS],
    text: "Orders of other users are not changed",
    breaks: (call) =>
      unless(
        orderOf(call).user_id === call.userId,
        `${call.args.order_id} belongs to ${orderOf(call).user_id}`,
      ),
  },
  {
    id: "account.own_profile",
    tools: ["modify_user_address"],
    text: "Profiles of other users are not changed",
    breaks: ({ args, userId }) =>
      unless(
        args.user_id === userId,
        `the call is for ${args.user_id}, but the user is ${userId}`,
      ),
  },
  {
    id: "order.pending",
    tools: PENDING_TOOLS,
    text: "Only a pending order is cancelled or changed",
    breaks: (call) => statusBreaks(call, "pending"),
  },
  {
    id: "order.delivered",
    tools: DELIVERED_TOOLS,
    text: "Only a delivered order is returned or exchanged",
    breaks: (call) => statusBreaks(call, "delivered"),
  },
  {
    id: "cancel.reason",
    tools: ["cancel_pending_order"],
    text: "A cancellation has one of two reasons",
    breaks: ({ args }) =>
      unless(REASONS.includes(args.reason), `the reason is "${args.reason}"`),
  },
  {
    id: "payment.own",
    tools: [
      "modify_pending_order_payment",
      "return_delivered_order_items",
      ...ITEM_TOOLS,
    ],
    text: "Payments and refunds use a payment method from the user's profile",
    breaks: (call) =>
      unless(
        methodOf(call) !== undefined,
        `${call.args.payment_method_id} is not in the profile`,
      ),
  },
  {
    id: "payment.other",
    tools: ["modify_pending_order_payment"],
    text: "A new payment method differs from the previous one",
    breaks: (call) =>
      unless(
        paidBy(call) !== call.args.payment_method_id,
        `${paidBy(call)} already pays for the order`,
      ),
  },
  {
    id: "payment.once",
    tools: ["modify_pending_order_payment"],
    text:
      "The payment method of an order with exactly one payment can be changed",
    breaks: (call) =>
      unless(
        orderOf(call).payment_history.length === 1,
        `the number of entries in the payment history is ${
          orderOf(call).payment_history.length
        }`,
      ),
  },
  {
    id: "payment.covers_total",
    tools: ["modify_pending_order_payment"],
    text: "A gift card's balance covers the whole total",
    breaks: (call) =>
      coverBreaks(call, orderOf(call).payment_history[0].amount),
  },
  {
    id: "items.of_order",
    tools: [...ITEM_TOOLS, "return_delivered_order_items"],
    text: "The order contains each item as often as it is named",
    breaks: itemsBreak,
  },
  {
    id: "items.same_product",
    tools: ITEM_TOOLS,
    text: "An item is replaced by a variant of the same product",
    breaks: (call) =>
      first(pairs(call), ({ from, to }) =>
        unless(
          to !== undefined && from.product_id === to.product_id,
          `${from.item_id} would be replaced by ${
            to?.item_id ?? "an unknown item"
          }`,
        )),
  },
  {
    id: "items.other_variant",
    tools: ITEM_TOOLS,
    text: "The new variant differs from the old one",
    breaks: (call) =>
      first(pairs(call), ({ from, to }) =>
        unless(
          from.item_id !== to?.item_id,
          `${from.item_id} would be replaced by itself`,
        )),
  },
  {
    id: "items.in_stock",
    tools: ITEM_TOOLS,
    text: "The new variant is in stock",
    breaks: (call) =>
      first(
        pairs(call),
        ({ to }) =>
          unless(to?.available === true, `${to?.item_id} is out of stock`),
      ),
  },
  {
    id: "items.some",
    tools: [...ITEM_TOOLS, "return_delivered_order_items"],
    text: "There is at least one item, and exactly one new item for each",
    breaks: ({ args }) =>
      unless(
        args.item_ids.length > 0 &&
          (args.new_item_ids === undefined ||
            args.new_item_ids.length === args.item_ids.length),
        `the call has ${args.item_ids.length} items and ${
          args.new_item_ids?.length ?? "no"
        } new items`,
      ),
  },
  {
    id: "payment.covers_difference",
    tools: ITEM_TOOLS,
    text: "A gift card's balance covers the price difference",
    breaks: (call) => coverBreaks(call, difference(call)),
  },
  {
    id: "return.refund_to",
    tools: ["return_delivered_order_items"],
    text: "A refund goes to the original method or to a gift card",
    breaks: (call) =>
      unless(
        paidBy(call) === call.args.payment_method_id ||
          methodOf(call)?.source === "gift_card",
        `${call.args.payment_method_id} is neither ${
          paidBy(call)
        }, which paid, nor a gift card`,
      ),
  },
];

function orderOf({ row, args }: PolicyCall) {
  return row("orders", args.order_id);
}

function methodOf({ row, args, userId }: PolicyCall) {
  return row("users", userId).payment_methods[args.payment_method_id];
}

function paidBy(call: PolicyCall): string {
  return orderOf(call).payment_history[0].payment_method_id;
}

function statusBreaks(call: PolicyCall, wanted: string): string | null {
  const { status } = orderOf(call);
  return unless(status === wanted, `the order is ${status}`);
}

function itemsBreak(call: PolicyCall): string | null {
  const held = countsOf(
    orderOf(call).items.map((item: { item_id: string }) => item.item_id),
  );
  const named = countsOf(call.args.item_ids);
  return first(
    [...named],
    ([id, n]) =>
      unless(
        n <= (held.get(id) ?? 0),
        `${id}: ${n} in the call, but ${held.get(id) ?? 0} in the order`,
      ),
  );
}

function countsOf(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** Pairs each item of a call with its replacement. */
function pairs(call: PolicyCall) {
  const { items } = orderOf(call);
  return (call.args.item_ids as string[]).map((id, i) => {
    const from = items.find((item: { item_id: string }) => item.item_id === id);
    return { from, to: variantOf(call, call.args.new_item_ids[i]) };
  });
}

/**
 * Returns the variant with the given id, extended with its product's id. Returns `undefined` if no product has this
 * variant.
 */
function variantOf({ row, ids }: PolicyCall, itemId: string) {
  for (const id of ids("products")) {
    const { variants, product_id } = row("products", id);
    if (variants[itemId] !== undefined) {
      return { ...variants[itemId], product_id };
    }
  }
}

function difference(call: PolicyCall): number {
  return pairs(call).reduce(
    (sum, { from, to }) => sum + (to?.price ?? 0) - from.price,
    0,
  );
}

function coverBreaks(call: PolicyCall, amount: number): string | null {
  const method = methodOf(call);
  return unless(
    method?.source !== "gift_card" || method.balance >= amount - 0.005,
    `the balance of the gift card is ${method?.balance}, but ${
      amount.toFixed(2)
    } is due`,
  );
}

function first<T>(
  list: readonly T[],
  breaks: (one: T) => string | null,
): string | null {
  for (const one of list) {
    const evidence = breaks(one);
    if (evidence !== null) return evidence;
  }
  return null;
}

function unless(holds: boolean, evidence: string): string | null {
  return holds ? null : evidence;
}

/** The clauses that no generated request can break, each with the reason. */
export const UNTESTED: Readonly<Record<string, string>> = {
  "payment.own": "users mention only kinds of payment method that they have",
  "payment.once": "every generated order has exactly one payment",
  "items.of_order":
    "no call matches words for an item that the order does not contain",
  "items.other_variant": "no call matches words for the same variant",
  "items.some": "no call matches a request without items",
};
