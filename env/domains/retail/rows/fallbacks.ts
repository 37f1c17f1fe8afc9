/**
 * Draws requests that the policy refuses, each with a fallback request that the user makes instead. A function returns
 * `undefined` if its draw fails.
 */

import type { RetailRequest } from "../goal/request.ts";
import { REASONS } from "../world/details.ts";
import { methodWords } from "../user/bench_goal.ts";
import { namedItem, newWords, othersOf, valuesOf } from "./changes.ts";
import type { Method, Order } from "./store.ts";
import {
  aboutOf,
  type Draw,
  isDistinguishable,
  itemWords,
  orderWords,
  payWords,
  type Place,
  placeOf,
  profileOf,
  whereWords,
  type Wish,
} from "./wish.ts";
import {
  cancelWish,
  changeOf,
  payByWish,
  reasonClause,
  refundsOf,
  returnOf,
} from "./writes.ts";

/** Draws a refused request about a pending or delivered order, with its fallback. */
export function drawConditional(
  draw: Draw,
  order: Order,
): Wish | undefined {
  const place = placeOf(draw, order);
  const rules = order.status === "pending"
    ? [lackingStock, cancelInstead, tooLittle]
    : [lackingStock, returnInstead, refundElsewhere];
  return draw.rng.pick(rules)(draw, place);
}

/** The intents that require a delivered order. */
const DELIVERED_INTENTS = ["return", "exchange"] as const;

interface Forbidden {
  readonly clause: string;
  readonly request: RetailRequest;
}

/**
 * Draws a request that the order's status forbids, or returns `undefined` if the drawn item cannot be described
 * unambiguously.
 */
function forbidden(
  draw: Draw,
  place: Place,
  intent: "cancel" | "return" | "exchange",
): Forbidden | undefined {
  const { rng } = draw;
  const { order } = place;
  const request = {
    intent,
    ...aboutOf(place),
    refused: true,
    refusedBy: intent === "cancel" ? "order.pending" : "order.delivered",
  };
  const whose = orderWords(draw, place);
  if (intent === "cancel") {
    const reason = rng.pick(REASONS);
    return {
      clause: `cancel ${whose} ${reasonClause(draw, reason)}`,
      request: { ...request, reason },
    };
  }
  const item = rng.pick(order.items);
  if (!isDistinguishable(item, order)) return undefined;
  const items = [namedItem(item, order)];
  const where = whereWords(draw, place, [item]);
  if (intent === "return") {
    return {
      clause: `return ${itemWords(item, order)}${where}`,
      request: { ...request, items },
    };
  }
  const to = rng.pick(othersOf(draw, item));
  return {
    clause: `exchange ${itemWords(item, order)} for ${
      newWords(draw, item, to)
    }${where}`,
    request: { ...request, items, newItems: [valuesOf(to)] },
  };
}

/** Draws a request for a variant that is out of stock, with another variant as the fallback. */
function lackingStock(draw: Draw, place: Place): Wish | undefined {
  const { rng } = draw;
  const { order } = place;
  const from = rng.pick(order.items);
  const others = othersOf(draw, from);
  const gone = others.filter(({ available }) => !available);
  const there = others.filter(({ available }) => available);
  if (
    gone.length === 0 || there.length === 0 || !isDistinguishable(from, order)
  ) {
    return undefined;
  }
  const [first, to] = [rng.pick(gone), rng.pick(there)];
  const payers = order.owner.methods.filter(({ balance }) =>
    balance >= to.cents - from.cents
  );
  if (payers.length === 0) return undefined;
  const intent = order.status === "pending" ? "modify_items" : "exchange";
  const preposition = intent === "exchange" ? "for" : "to";
  const method = rng.pick(payers);
  const clause = `${itemWords(from, order)} ${preposition} ${
    newWords(draw, from, first)
  }`;
  const wish = changeOf(draw, {
    place,
    intent,
    changes: [{ from, to, clause }],
    method,
  });
  return {
    ...wish,
    after: [
      otherwise(draw, `take ${newWords(draw, from, to)}`, "not available"),
      ...wish.after ?? [],
    ],
    refused: {
      intent,
      ...aboutOf(place),
      items: [namedItem(from, order)],
      newItems: [valuesOf(first)],
      refused: true,
      refusedBy: "items.in_stock",
    },
  };
}

/** Draws a return or exchange for a pending order, with the order's cancellation as the fallback. */
function cancelInstead(draw: Draw, place: Place): Wish | undefined {
  const { rng } = draw;
  const intent = rng.pick(DELIVERED_INTENTS);
  const refused = forbidden(draw, place, intent);
  if (refused === undefined) return undefined;
  const fallback = cancelWish(draw, place);
  const { clause } = fallback;
  return instead(draw, { refused, fallback, clause });
}

/** Draws the cancellation of a delivered order, with a return of its items as the fallback. */
function returnInstead(draw: Draw, place: Place): Wish | undefined {
  const { order } = place;
  const refused = forbidden(draw, place, "cancel");
  const [method] = refundsOf(order);
  if (refused === undefined || method === undefined) return undefined;
  const refund = ` and have the refund on ${payWords(draw, method)}`;
  const items = order.items;
  const fallback = returnOf(draw, { place, items, method, refund });
  const clause = `return all of it${refund}`;
  return instead(draw, { refused, fallback, clause });
}

/** Draws a refund to a payment method that is not allowed, with an allowed payment method as the fallback. */
function refundElsewhere(draw: Draw, place: Place): Wish | undefined {
  const { rng } = draw;
  const { order } = place;
  const allowed = refundsOf(order);
  const others = order.owner.methods.filter((one) => !allowed.includes(one));
  const item = rng.pick(order.items);
  if (
    others.length === 0 || allowed.length === 0 ||
    !isDistinguishable(item, order)
  ) {
    return undefined;
  }
  const [first, method] = [rng.pick(others), rng.pick(allowed)];
  const refund = ` and get the money on ${payWords(draw, first)}`;
  const fallback = returnOf(draw, { place, items: [item], method, refund });
  return {
    ...fallback,
    actions: withProfile(fallback, order),
    after: [
      otherwise(draw, `have it on ${payWords(draw, method)}`, "not possible"),
    ],
    refused: {
      intent: "return",
      ...aboutOf(place),
      items: [namedItem(item, order)],
      payment: wordsOf(first),
      refused: true,
      refusedBy: "return.refund_to",
    },
  };
}

/** Draws a payment with a gift card that has too low a balance, with another payment method as the fallback. */
function tooLittle(draw: Draw, place: Place): Wish | undefined {
  const { rng } = draw;
  const { order } = place;
  const others = order.owner.methods.filter(({ id }) => id !== order.paidBy);
  const poor = others.filter(({ balance }) => balance < order.cents);
  const rich = others.filter(({ balance }) => balance >= order.cents);
  if (poor.length === 0 || rich.length === 0) return undefined;
  const [first, method] = [rng.pick(poor), rng.pick(rich)];
  const fallback = payByWish(draw, { place, method });
  return {
    ...fallback,
    clause: payByWish(draw, { place, method: first }).clause,
    after: [
      otherwise(draw, `use ${payWords(draw, method)}`, "not possible"),
    ],
    refused: {
      intent: "modify_payment",
      ...aboutOf(place),
      payment: wordsOf(first),
      refused: true,
      refusedBy: "payment.covers_total",
    },
  };
}

function instead(
  draw: Draw,
  { refused, fallback, clause }: {
    refused: Forbidden;
    fallback: Wish;
    /** The words for the fallback, as the continuation of "you want to". */
    clause: string;
  },
): Wish {
  return {
    ...fallback,
    clause: refused.clause,
    after: [otherwise(draw, clause, "not possible")],
    refused: refused.request,
  };
}

/** Returns a conditional sentence: `If that is not possible, you want to …`. */
function otherwise({ rng }: Draw, clause: string, not: string): string {
  return rng.pick([
    `If that is ${not}, you want to ${clause}.`,
    `If that's ${not}, you would rather ${clause}.`,
    `Should that be ${
      not.replace("not ", "im").replace("imavailable", "unavailable")
    }, you will ${clause}.`,
    `Otherwise, you want to ${clause}.`,
  ]);
}

function withProfile({ actions }: Wish, { owner }: Order): Wish["actions"] {
  const write = actions.at(-1);
  return write === undefined
    ? actions
    : [...actions.slice(0, -1), profileOf(owner), write];
}

function wordsOf({ id, among }: Method): string {
  return methodWords(id, among);
}
