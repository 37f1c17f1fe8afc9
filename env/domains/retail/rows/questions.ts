/** Wishes to be told something. */

import { calculate } from "../../../python/calculator.ts";
import { call } from "../../shared/call.ts";
import type { ToolAction } from "../../../types.ts";
import type { Customer, Item, Order } from "./store.ts";
import {
  type Draw,
  noun,
  orderWords,
  type Place,
  placeOf,
  productOf,
  profileOf,
  readsOf,
  type Wish,
} from "./wish.ts";

/** A question about an order, a profile or a product. */
export function drawQuestion(
  draw: Draw,
  { customer, order }: { customer: Customer; order: Order | undefined },
): Wish | undefined {
  const { rng } = draw;
  const kind = rng.int(6);
  if (kind === 0) return balanceQuestion(draw, customer);
  if (kind === 1) return countQuestion(draw);
  if (kind === 2) return cheapestQuestion(draw);
  return order && orderQuestion(draw, placeOf(draw, order));
}

/** What the items of a wish come to together, asked for with it. */
export function refundQuestion(
  { rng }: Draw,
  wish: Wish,
  items: readonly Item[],
): Wish {
  const expression = items.map(({ price }) => price).join(" + ");
  const [first] = items;
  const isSum = items.length > 1;
  const output = isSum ? calculate(expression) : first?.price ?? "";
  return {
    ...wish,
    after: [
      ...wish.after ?? [],
      rng.pick([
        "You want to know how much money you get back in total.",
        "You also want to know the total amount of the refund.",
        "You wonder how much you will get back altogether.",
      ]),
    ],
    actions: [
      ...wish.actions,
      ...isSum ? [call("calculate", { expression })] : [],
    ],
    outputs: [output],
    untold: { intent: "question", question: "refund", outputs: [output] },
  };
}

function orderQuestion(draw: Draw, place: Place): Wish {
  const { rng } = draw;
  const { order } = place;
  const whose = orderWords(draw, place);
  const item = rng.pick(order.items);
  const asked = [
    [`how much you paid for ${whose}`, order.total],
    [`the total of ${whose}`, order.total],
    [`what the ${noun(item)} in ${whose} cost`, item.price],
    ...order.trackingId === ""
      ? []
      : [[`the tracking number of ${whose}`, order.trackingId]],
  ] as const;
  const [what, output] = rng.pick(asked);
  return question({ what, output, actions: readsOf(place) });
}

function balanceQuestion(_: Draw, customer: Customer): Wish | undefined {
  const cards = customer.methods.filter(({ source }) => source === "gift_card");
  const [card] = cards;
  return card === undefined || cards.length > 1 ? undefined : question({
    what: "how much is left on your gift card",
    output: String(card.balance / 100),
    actions: [profileOf(customer)],
  });
}

/** How many variants of a product can be had. */
function countQuestion(draw: Draw): Wish {
  const { rng, store } = draw;
  const productId = rng.pick(store.productIds);
  const variants = store.variantsOf({ productId });
  const [one] = variants;
  const name = one === undefined ? "" : noun(one);
  return question({
    what: rng.pick([
      `how many ${name} options are available in the store at the moment`,
      `how many variants of the ${name} the store has in stock`,
    ]),
    output: String(variants.filter(({ available }) => available).length),
    actions: productReads(productId),
  });
}

/** What the cheapest or the most expensive variant of a product costs. */
function cheapestQuestion(draw: Draw): Wish | undefined {
  const { rng, store } = draw;
  const productId = rng.pick(store.productIds);
  const [one, ...others] = store.variantsOf({ productId })
    .filter(({ available }) => available)
    .sort((a, b) => a.cents - b.cents);
  if (one === undefined) return undefined;
  const last = others.at(-1) ?? one;
  const isCheap = rng.int(2) === 0;
  return question({
    what: `the price of the ${isCheap ? "cheapest" : "most expensive"} ${
      noun(one)
    } that is available`,
    output: isCheap ? one.price : last.price,
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
    untold: { intent: "question", question: what, outputs: [output] },
  };
}
