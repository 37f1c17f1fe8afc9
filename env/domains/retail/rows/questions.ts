/** Draws questions about orders, profiles and products, each with its answer and the read calls that lead to it. */

import { calculate } from "../../../python/calculator.ts";
import { call } from "../../shared/call.ts";
import type { ToolAction } from "../../../types.ts";
import type { Change } from "./changes.ts";
import type { Item, Order, StoreUser } from "./store.ts";
import {
  type Draw,
  isOnlyIn,
  noun,
  orderWords,
  type Place,
  placeOf,
  productOf,
  profileOf,
  readsOf,
  type Wish,
} from "./wish.ts";

/** Draws a question about an order, a profile or a product, or returns `undefined` if the draw fails. */
export function drawQuestion(
  draw: Draw,
  { person, order }: { person: StoreUser; order: Order | undefined },
): Wish | undefined {
  const kind = draw.rng.int(6);
  if (kind === 0) return balanceQuestion(draw, person);
  if (kind === 1) return countQuestion(draw);
  if (kind === 2) return extremeQuestion(draw);
  return order && orderQuestion(draw, placeOf(draw, order));
}

/**
 * Adds a question about the total refund of all returns and cancellations to the last of a user's requests. Returns the
 * requests unchanged if nothing is refunded, if the total also depends on an exchange or a change of items, or if
 * another answer is already required.
 */
export function askRefund(
  draw: Draw,
  wishes: readonly Wish[],
): readonly Wish[] {
  const { rng } = draw;
  const refunds = wishes.flatMap(({ refunds = [] }) => refunds);
  const last = wishes.at(-1);
  const isAmiss = wishes.some(({ intent, outputs }) =>
    intent === "exchange" || intent === "modify_items" || outputs.length > 0
  );
  if (refunds.length === 0 || last === undefined || isAmiss) return wishes;
  const sentence = rng.pick([
    "You want to know how much money you get back in total.",
    "You also want to know the total amount of the refund.",
    "You wonder how much you will get back altogether.",
    "In the end you'd like to know the total that you get back.",
  ]);
  const expression = refunds.join(" + ");
  const isSum = refunds.length > 1;
  const output = isSum ? calculate(expression) : refunds.join("");
  return [
    ...wishes.slice(0, -1),
    asking(last, { sentence, output, ...isSum && { expression } }),
  ];
}

/**
 * Adds a question about the price difference to a request for a single change. Returns the request unchanged if it has
 * several changes, or if the prices are equal.
 */
export function askDifference(
  { rng }: Draw,
  wish: Wish,
  changes: readonly Change[],
): Wish {
  const [change, ...others] = changes;
  if (change === undefined || others.length > 0) return wish;
  const [less, more] = [change.from, change.to]
    .toSorted((a, b) => a.cents - b.cents);
  if (less === undefined || more === undefined || less.cents === more.cents) {
    return wish;
  }
  const expression = `${more.price} - ${less.price}`;
  const sentence = rng.pick([
    "You want to know the price difference.",
    "You also want to know what the price difference comes to.",
    "You need to know how much the price difference is.",
  ]);
  const output = calculate(expression);
  return asking(wish, { sentence, output, expression });
}

function asking(
  wish: Wish,
  { sentence, output, expression }: {
    sentence: string;
    output: string;
    /** The arithmetic expression for the answer, if no read shows it directly. */
    expression?: string;
  },
): Wish {
  return {
    ...wish,
    after: [...wish.after ?? [], sentence],
    actions: [
      ...wish.actions,
      ...expression === undefined ? [] : [call("calculate", { expression })],
    ],
    outputs: [output],
    question: { intent: "question", question: sentence, outputs: [output] },
  };
}

/**
 * Matches the names of options that questions may ask about. Options with the values yes and no are excluded because an
 * agent could say these words by accident.
 */
const ASKED_OPTIONS = /color|material|size|storage|battery life/;

/** Draws a question about an order, or about one of its items with a unique name. */
function orderQuestion(draw: Draw, place: Place): Wish {
  const { rng } = draw;
  const { order } = place;
  const { items } = order;
  const apart = items.filter((item) =>
    items.every((other) => other === item || other.name !== item.name)
  );
  const item = apart.length === 0 ? undefined : rng.pick(apart);
  const whose = orderWords(draw, place, item && [item]);
  const asked = [
    [`how much you paid for ${whose}`, order.total],
    [`the total price of ${whose}`, order.total],
    ...item === undefined ? [] : itemQuestions(draw, { item, order, whose }),
    ...order.trackingId === ""
      ? []
      : [[`the tracking number of ${whose}`, order.trackingId]],
  ] as const;
  const [what, output] = rng.pick(asked);
  return question({ what, output, actions: readsOf(place) });
}

/** Returns the possible questions about an item, each with its answer. */
function itemQuestions(
  { rng }: Draw,
  { item, order, whose }: { item: Item; order: Order; whose: string },
): (readonly [string, string])[] {
  const which = isOnlyIn(item, order)
    ? `the ${noun(item)} that you ${rng.pick(["bought", "ordered"])}`
    : `the ${noun(item)} in ${whose}`;
  const options = [...item.options].filter(([option]) =>
    ASKED_OPTIONS.test(option)
  ).map(([option, value]) => [`the ${option} of ${which}`, value] as const);
  return [[`the price of ${which}`, item.price], ...options];
}

function balanceQuestion({ rng }: Draw, person: StoreUser): Wish | undefined {
  const cards = person.methods.filter(({ source }) => source === "gift_card");
  const [card] = cards;
  return card === undefined || cards.length > 1 ? undefined : question({
    what: rng.pick([
      "the balance of your gift card",
      "how much balance your gift card has",
    ]),
    output: card.balanceText,
    actions: [profileOf(person)],
  });
}

/**
 * Draws a question about the number of available variants of a product. Returns `undefined` if the product has no
 * variants.
 */
function countQuestion({ rng, store }: Draw): Wish | undefined {
  const productId = rng.pick(store.productIds);
  const variants = store.variantsOf({ productId });
  const [one] = variants;
  return one && question({
    what: rng.pick([
      `how many ${noun(one)} options are available in the store at the moment`,
      `how many variants of the ${noun(one)} the store has in stock`,
      `how many types of ${noun(one)} can be bought right now`,
    ]),
    output: String(variants.filter(({ available }) => available).length),
    actions: productReads(productId),
  });
}

/**
 * Draws a question about the price of the cheapest or the most expensive available variant of a product. Returns
 * `undefined` if no variant is available.
 */
function extremeQuestion({ rng, store }: Draw): Wish | undefined {
  const productId = rng.pick(store.productIds);
  const there = store.variantsOf({ productId })
    .filter(({ available }) => available)
    .toSorted((a, b) => a.cents - b.cents);
  const most = rng.pick(["cheapest", "most expensive"]);
  const best = most === "cheapest" ? there[0] : there.at(-1);
  return best && question({
    what: `the price of the ${most} available ${noun(best)} right now`,
    output: best.price,
    actions: productReads(productId),
  });
}

function productReads(productId: string): ToolAction[] {
  return [call("list_all_product_types", {}), productOf({ productId })];
}

function question(
  { what, output, actions }: {
    what: string;
    output: string;
    actions: readonly ToolAction[];
  },
): Wish {
  return {
    intent: "question",
    clause: `know ${what}`,
    actions,
    outputs: [output],
    question: { intent: "question", question: what, outputs: [output] },
  };
}
