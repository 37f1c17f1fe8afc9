/**
 * Draws details of a request about an eligible order that break a policy rule: a reason that is not accepted, a variant
 * that is out of stock, another product, a gift card whose balance is too low, or a refund to another payment method.
 */

import { call } from "../../shared/call.ts";
import type { Intent, RetailRequest } from "../goal/request.ts";
import type { ToolAction } from "../../../types.ts";
import {
  covers,
  type DetailsOf,
  drawItems,
  optionWords,
  paymentWords,
  variantsOf,
  type World,
} from "./details.ts";
import type { PaymentMethod, Variant } from "./rows.ts";

/** Details of a request that violate a policy rule. */
export interface BrokenRule {
  /** The clause of the policy that is broken. */
  readonly clause: string;
  /** The words that `policy.md` tells agents to use when they explain the refusal. */
  readonly told: string;
  /** The details that break the rule. */
  readonly words: Partial<RetailRequest>;
  /** The reads that show the violation, in addition to the read of the order. */
  readonly reads: readonly ToolAction[];
}

type Rule = (world: World, of: DetailsOf) => BrokenRule | undefined;

/** Draws details that break one rule, or returns `undefined` if no rule can be broken with this order and intent. */
export function drawBrokenRule(
  world: World,
  of: DetailsOf,
): BrokenRule | undefined {
  const rules = (RULES[of.intent] ?? []).flatMap((equals) =>
    world.rng.shuffle(equals)
  );
  for (const rule of rules) {
    const broken = rule(world, of);
    if (broken !== undefined) return broken;
  }
  return undefined;
}

/**
 * The rules for each intent, in groups. The groups are tried in order, so rules that can rarely be broken come first.
 * Within a group, the rules are tried in random order.
 */
const RULES: Partial<Record<Intent, readonly (readonly Rule[])[]>> = {
  cancel: [[otherReason]],
  modify_payment: [[tooLittleForTotal]],
  return: [[refundElsewhere]],
  exchange: [[tooLittleForDifference], [outOfStock, otherProduct]],
  modify_items: [[tooLittleForDifference], [outOfStock, otherProduct]],
};

/** Cancellation reasons that the policy does not accept. None of them contains the text of an accepted reason. */
const OTHER_REASONS = [
  "it is cheaper elsewhere",
  "it takes too long to arrive",
  "the price has gone down since",
  "the reviews are bad",
];

function otherReason({ rng }: World): BrokenRule {
  return {
    clause: "cancel.reason",
    told: "not an accepted reason",
    words: { reason: rng.pick(OTHER_REASONS) },
    reads: [],
  };
}

function tooLittleForTotal(
  _: World,
  { customer, order }: DetailsOf,
): BrokenRule | undefined {
  const card = otherCard({ customer, order });
  if (card === undefined || covers(card, order.totalCents)) return undefined;
  return {
    clause: "payment.covers_total",
    told: NOT_ENOUGH,
    words: { payment: paymentWords(card) },
    reads: [profile(order)],
  };
}

function refundElsewhere(
  world: World,
  { customer, order }: DetailsOf,
): BrokenRule | undefined {
  const others = customer.methods.filter((method) =>
    method.source !== "gift_card" && method !== order.method
  );
  if (others.length === 0) return undefined;
  return {
    clause: "return.refund_to",
    told: "original payment method",
    words: {
      items: drawItems(world, order.items).map(({ name }) => name),
      payment: paymentWords(world.rng.pick(others)),
    },
    reads: [profile(order)],
  };
}

function outOfStock(
  world: World,
  { customer, order }: DetailsOf,
): BrokenRule | undefined {
  const swaps = swapsTo(world, order.items, ({ to }) => !to.available);
  if (swaps.length === 0) return undefined;
  const swap = world.rng.pick(swaps);
  const payers = customer.methods.filter((method) =>
    covers(method, swap.to.priceCents - swap.from.priceCents)
  );
  if (payers.length === 0) return undefined;
  return {
    clause: "items.in_stock",
    told: "out of stock",
    words: wordsOf(swap, world.rng.pick(payers)),
    reads: [productRead(swap)],
  };
}

function otherProduct(
  { rng, products }: World,
  { customer, order }: DetailsOf,
): BrokenRule | undefined {
  const held = new Set(order.items.map(({ name }) => name));
  const others = products.filter(({ name }) => !held.has(name));
  if (others.length === 0) return undefined;
  return {
    clause: "items.same_product",
    told: "another product",
    words: {
      items: [rng.pick(order.items).name],
      newItems: [rng.pick(others).name],
      otherProduct: true,
      payment: paymentWords(rng.pick(customer.methods)),
    },
    reads: [],
  };
}

function tooLittleForDifference(
  world: World,
  { customer, order }: DetailsOf,
): BrokenRule | undefined {
  const card = otherCard({ customer, order });
  if (card === undefined) return undefined;
  const swaps = swapsTo(
    world,
    order.items,
    ({ from, to }) =>
      to.available && !covers(card, to.priceCents - from.priceCents),
  );
  if (swaps.length === 0) return undefined;
  const swap = world.rng.pick(swaps);
  return {
    clause: "payment.covers_difference",
    told: NOT_ENOUGH,
    words: wordsOf(swap, card),
    reads: [profile(order), productRead(swap)],
  };
}

const NOT_ENOUGH = "not enough";

interface Swap {
  readonly from: Variant;
  readonly to: Variant;
}

/** Returns all pairs of an item and another variant of its product for which `wanted` returns true. */
function swapsTo(
  world: World,
  items: readonly Variant[],
  wanted: (swap: Swap) => boolean,
): Swap[] {
  return items.flatMap((from) =>
    variantsOf(world, from).filter(({ itemId }) => itemId !== from.itemId)
      .map((to) => ({ from, to }))
  ).filter(wanted);
}

function wordsOf(
  { from, to }: Swap,
  payer: PaymentMethod,
): Partial<RetailRequest> {
  return {
    items: [from.name],
    newItems: [optionWords(to)],
    payment: paymentWords(payer),
  };
}

/**
 * Finds one of the user's gift cards that was not used to pay for the order, or returns `undefined` if there is none.
 */
function otherCard(
  { customer, order }: Pick<DetailsOf, "customer" | "order">,
): PaymentMethod | undefined {
  return customer.methods.find((method) =>
    method.source === "gift_card" && method !== order.method
  );
}

function profile({ userId }: DetailsOf["order"]): ToolAction {
  return call("get_user_details", { user_id: userId });
}

function productRead({ from }: Swap): ToolAction {
  return call("get_product_details", { product_id: from.productId });
}
