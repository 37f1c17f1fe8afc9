/** Draws requests that the policy allows and that write calls fulfill. */

import { listed } from "../../../generated/instruction.ts";
import { call } from "../../shared/call.ts";
import type { Address, Intent } from "../goal/request.ts";
import { REASONS } from "../world/details.ts";
import { addressWords } from "../user/request_words.ts";
import {
  type Change,
  changeWords,
  differenceOf,
  drawChanges,
} from "./changes.ts";
import { askDifference } from "./questions.ts";
import type { Item, Method, Order, StoreUser } from "./store.ts";
import {
  type Draw,
  isDistinguishable,
  itemWords,
  noun,
  orderWords,
  payWords,
  type Place,
  placeOf,
  productOf,
  profileFor,
  profileOf,
  readsOf,
  whereWords,
  type Wish,
} from "./wish.ts";

/** Draws a request about an order with the required status, or returns `undefined` if the draw fails. */
export function drawWrite(
  draw: Draw,
  { intent, order }: { intent: Intent; order: Order },
): Wish | undefined {
  const place = placeOf(draw, order);
  switch (intent) {
    case "cancel":
      return cancelWish(draw, place);
    case "return":
      return returnWish(draw, place);
    case "modify_address":
      return addressWish(draw, place);
    case "modify_payment":
      return paymentWish(draw, place);
    default:
      return changeWish(draw, place, intent);
  }
}

/** Phrases the reason for a cancellation. */
export function reasonClause({ rng }: Draw, reason: string): string {
  return reason === REASONS[0]
    ? rng.pick([
      "because it is no longer needed",
      "since it is no longer needed",
      "as it's no longer needed",
      "(no longer needed)",
    ])
    : rng.pick([
      "because it was ordered by mistake",
      "since it was ordered by mistake",
      "as it was ordered by mistake",
      "(ordered by mistake)",
    ]);
}

/** Draws the cancellation of an order. */
export function cancelWish(draw: Draw, place: Place): Wish {
  const { order } = place;
  const reason = draw.rng.pick(REASONS);
  return {
    intent: "cancel",
    clause: `cancel ${orderWords(draw, place)} ${reasonClause(draw, reason)}`,
    actions: [
      ...readsOf(place),
      call("cancel_pending_order", { order_id: order.orderId, reason }),
    ],
    outputs: [],
    refunds: [order.total],
  };
}

/**
 * Draws the cancellation of all of a user's pending orders, or returns `undefined` if the user has fewer than two
 * pending orders.
 */
export function cancelAllWish(
  draw: Draw,
  person: StoreUser,
): Wish | undefined {
  const { rng } = draw;
  const pending = person.orders.filter(({ status }) => status === "pending");
  if (pending.length < 2) return undefined;
  const reason = rng.pick(REASONS);
  return {
    intent: "cancel",
    clause: `cancel ${
      rng.pick(["all your pending orders", "every order that is still pending"])
    } ${
      reason === REASONS[0]
        ? "because they are no longer needed"
        : "because they were ordered by mistake"
    }`,
    actions: [
      profileOf(person),
      ...pending.map(({ orderId }) =>
        call("get_order_details", { order_id: orderId })
      ),
      ...pending.map(({ orderId }) =>
        call("cancel_pending_order", { order_id: orderId, reason })
      ),
    ],
    outputs: [],
    refunds: pending.map(({ total }) => total),
  };
}

/** Returns the payment methods that may receive a refund. */
export function refundsOf({ paidBy, owner }: Order): readonly Method[] {
  return owner.methods.filter(({ id, source }) =>
    id === paidBy || source === "gift_card"
  );
}

function returnWish(draw: Draw, place: Place): Wish | undefined {
  const { rng } = draw;
  const { order } = place;
  const items = drawItems(draw, order);
  const methods = refundsOf(order);
  if (items === undefined || methods.length === 0) return undefined;
  const method = rng.pick(methods);
  const refund = order.owner.methods.length === 1 && rng.int(2) === 0
    ? ""
    : method.id === order.paidBy && rng.int(3) === 0
    ? " and get the refund on the original payment method"
    : `${
      rng.pick([
        " and have the refund on",
        ", refunded to",
        " and get the money back to",
      ])
    } ${payWords(draw, method)}`;
  return returnOf(draw, { place, items, method, refund });
}

/** Returns a request to return items. */
export function returnOf(
  draw: Draw,
  { place, items, method, refund }: {
    place: Place;
    items: readonly Item[];
    method: Method;
    /** The destination of the refund, as the instruction phrases it. */
    refund: string;
  },
): Wish {
  const { order } = place;
  const isAll = items.length === order.items.length && items.length > 1;
  const kept = order.items.filter((item) => !items.includes(item));
  const [spared] = kept;
  const isShort = draw.rng.int(2) === 0;
  const words = isShort && isAll
    ? `everything in ${orderWords(draw, place)}`
    : isShort && spared !== undefined && kept.length === 1 &&
        items.length > 1 && isDistinguishable(spared, order)
    ? `everything but ${itemWords(spared, order)} from ${
      orderWords(draw, place)
    }`
    : listed(items.map((item) => itemWords(item, order))) +
      (whereWords(draw, place, items) ||
        draw.rng.pick(["", " that you received", " that you just received"]));
  return {
    intent: "return",
    clause: `return ${words}${refund}`,
    ...reasonOf(draw, RETURN_REASONS, items),
    actions: [
      ...readsOf(place),
      ...profileFor(place, method),
      call("return_delivered_order_items", {
        order_id: order.orderId,
        item_ids: items.map(({ itemId }) => itemId),
        payment_method_id: method.id,
      }),
    ],
    outputs: [],
    refunds: isAll ? [order.total] : items.map(({ price }) => price),
  };
}

/**
 * Draws up to four items of an order that can be described unambiguously, or returns `undefined` if the order has no
 * such items.
 */
function drawItems({ rng }: Draw, order: Order): readonly Item[] | undefined {
  const tellable = order.items.filter((item) => isDistinguishable(item, order));
  if (tellable.length === 0) return undefined;
  const most = Math.min(4, tellable.length);
  const some = new Set(rng.shuffle(tellable).slice(0, 1 + rng.int(most)));
  return order.items.filter((item) => some.has(item));
}

function addressWish(draw: Draw, place: Place): Wish | undefined {
  const { order } = place;
  const goal = drawAddress(draw, order.owner, order.address);
  if (goal === undefined) return undefined;
  const whose = orderWords(draw, place);
  return {
    intent: "modify_address",
    clause: draw.rng.pick([
      `change the shipping address of ${whose} to ${goal.words}`,
      `have ${whose} sent to ${goal.words}`,
      `ship ${whose} to ${goal.words}`,
    ]),
    actions: [
      ...readsOf(place),
      ...goal.reads,
      call("modify_pending_order_address", {
        order_id: order.orderId,
        ...goal.address,
      }),
    ],
    outputs: [],
  };
}

/** Draws a change of the default address, or returns `undefined` if the draw fails. */
export function userAddressWish(
  draw: Draw,
  person: StoreUser,
): Wish | undefined {
  const goal = drawAddress(draw, person, person.address);
  return goal && {
    intent: "user_address",
    clause: draw.rng.pick([
      `change your default address to ${goal.words}`,
      `update the address in your profile to ${goal.words}`,
    ]),
    actions: [
      ...goal.reads,
      call("modify_user_address", {
        user_id: person.userId,
        ...goal.address,
      }),
    ],
    outputs: [],
  };
}

/**
 * Draws an address that differs from `now`: the address in the profile, the address of another order, or the address of
 * a random user, which the instruction spells out. Returns `undefined` if the draw fails.
 */
function drawAddress(
  { rng, store }: Draw,
  person: StoreUser,
  now: Address,
): { address: Address; words: string; reads: Wish["actions"] } | undefined {
  const isNow = (one: Address) => addressWords(one) === addressWords(now);
  const home = addressWords(person.address);
  const known = person.orders.filter(({ address }) =>
    !isNow(address) && addressWords(address) !== home
  );
  if (!isNow(person.address) && rng.int(3) === 0) {
    return {
      address: person.address,
      words: rng.pick([
        "your default address (it is in your profile)",
        `the ${person.address.city} address of your profile (you would rather not spell it out)`,
      ]),
      reads: [profileOf(person)],
    };
  }
  if (known.length > 0 && rng.int(2) === 0) {
    const other = rng.pick(known);
    const { city } = other.address;
    const alike = person.orders.some(({ address }) =>
      address.city === city &&
      addressWords(address) !== addressWords(other.address)
    );
    if (alike) return undefined;
    return {
      address: other.address,
      words: rng.pick([
        `your ${city} address (another of your orders has it)`,
        `the address in ${city} that one of your other orders has`,
      ]),
      reads: [
        profileOf(person),
        call("get_order_details", { order_id: other.orderId }),
      ],
    };
  }
  const { address } = rng.pick(store.people);
  return isNow(address)
    ? undefined
    : { address, words: addressWords(address), reads: [] };
}

function paymentWish(draw: Draw, place: Place): Wish | undefined {
  const { order } = place;
  const others = order.owner.methods.filter(({ id, balance }) =>
    id !== order.paidBy && balance >= order.cents
  );
  return others.length === 0
    ? undefined
    : payByWish(draw, { place, method: draw.rng.pick(others) });
}

/** Returns a request to pay for an order with another payment method. */
export function payByWish(
  draw: Draw,
  { place, method }: { place: Place; method: Method },
): Wish {
  const whose = orderWords(draw, place);
  const how = payWords(draw, method);
  return {
    intent: "modify_payment",
    clause: draw.rng.pick([
      `pay for ${whose} with ${how} instead`,
      `change the payment of ${whose} to ${how}`,
      `switch ${whose} over to ${how}`,
    ]),
    actions: [
      ...readsOf(place),
      profileOf(place.order.owner),
      call("modify_pending_order_payment", {
        order_id: place.order.orderId,
        payment_method_id: method.id,
      }),
    ],
    outputs: [],
  };
}

function changeWish(
  draw: Draw,
  place: Place,
  intent: Intent,
): Wish | undefined {
  const preposition = intent === "exchange" ? "for" : "to";
  const changes = drawChanges(draw, place.order, preposition);
  const difference = differenceOf(changes ?? []);
  const payers = place.order.owner.methods.filter(({ balance }) =>
    balance >= difference
  );
  if (changes === undefined || payers.length === 0) return undefined;
  const method = draw.rng.pick(payers);
  const wish = changeOf(draw, { place, intent, changes, method });
  return draw.rng.next() < 0.15 ? askDifference(draw, wish, changes) : wish;
}

const CHANGE_TOOL: Partial<Record<Intent, string>> = {
  exchange: "exchange_delivered_order_items",
  modify_items: "modify_pending_order_items",
};

/** Returns a request to exchange items of a delivered order, or to change items of a pending order. */
export function changeOf(
  draw: Draw,
  { place, intent, changes, method }: {
    place: Place;
    intent: Intent;
    changes: readonly Change[];
    method: Method;
  },
): Wish {
  const { rng } = draw;
  const { order } = place;
  const verb = rng.pick(
    intent === "exchange" ? ["exchange", "swap"] : ["change", "modify"],
  );
  const pay = order.owner.methods.length === 1 && rng.int(2) === 0 ? [] : [
    rng.pick([
      `You prefer ${payWords(draw, method)} for the difference.`,
      `Any difference goes to ${payWords(draw, method)}.`,
      `You want to use ${payWords(draw, method)} for the difference.`,
      `You pay or get back the difference by ${payWords(draw, method)}.`,
    ]),
  ];
  const words = changeWords(changes);
  return {
    intent,
    clause: `${verb} ${listed(changes.map(({ clause }) => clause))}${
      whereWords(draw, place, changes.map(({ from }) => from))
    }`,
    ...reasonOf(draw, CHANGE_REASONS, changes.map(({ from }) => from)),
    after: pay,
    actions: [
      ...readsOf(place),
      ...changes.map(({ from }) => productOf(from)),
      ...profileFor(place, method),
      call(CHANGE_TOOL[intent] ?? "", {
        order_id: order.orderId,
        item_ids: changes.map(({ from }) => from.itemId),
        new_item_ids: changes.map(({ to }) => to.itemId),
        payment_method_id: method.id,
      }),
    ],
    outputs: [],
    ...words && { words },
  };
}

/** Reasons for a return, as sentences that precede the request. */
const RETURN_REASONS = [
  (name: string) => `The ${name} is not as nice as you had expected.`,
  (name: string) => `You found a better ${name} elsewhere.`,
  (name: string) => `Your ${name} came with a dent.`,
  (name: string) => `You have not used the ${name} once since it came.`,
  (name: string) => `Someone gave you another ${name} as a present.`,
  (name: string) => `You are disappointed by the quality of the ${name}.`,
];

/** Reasons for a change of items, as sentences that precede the request. */
const CHANGE_REASONS = [
  (name: string) => `You chose the wrong ${name} in a rush.`,
  (name: string) => `The ${name} does not go with the rest of your things.`,
  (name: string) => `You have thought again about the ${name}.`,
  (name: string) => `You read that another ${name} would suit you better.`,
];

function reasonOf(
  { rng }: Draw,
  reasons: readonly ((name: string) => string)[],
  [item]: readonly Item[],
): Pick<Wish, "before"> {
  return item === undefined || rng.next() < 0.7
    ? {}
    : { before: rng.pick(reasons)(noun(item)) };
}
