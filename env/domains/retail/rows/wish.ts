/**
 * The types of drawn retail requests, and functions that phrase their orders, items and payment methods for the
 * instruction and return the reads that they require.
 */

import { happens } from "../../../generated/draw.ts";
import type { RowOptions } from "../../../generated/row_options.ts";
import type { Rng } from "../../../random.ts";
import type { ToolAction } from "../../../types.ts";
import { call } from "../../shared/call.ts";
import type { Intent, RetailRequest } from "../goal/request.ts";
import { methodWords } from "../user/bench_goal.ts";
import type { Item, Method, Order, Store, StoreUser } from "./store.ts";

/** The context for drawing requests. */
export interface Draw {
  readonly rng: Rng;
  readonly store: Store;
  readonly options: RowOptions;
}

/** A user's request, with its gold actions and its words in the instruction. */
export interface Wish {
  readonly intent: Intent;
  /** The words for the request, as the continuation of "you want to". */
  readonly clause: string;
  /** A sentence that precedes the request in the instruction. */
  readonly before?: string;
  /** The sentences that follow the request in the instruction. */
  readonly after?: readonly string[];
  /** The gold actions: the reads, then the writes, then any calculation for a question. */
  readonly actions: readonly ToolAction[];
  readonly outputs: readonly string[];
  /** The refunded amounts, as Python prints them. */
  readonly refunds?: readonly string[];
  /** A request that the policy refuses. The user makes it before the request that the writes fulfill. */
  readonly refused?: RetailRequest;
  /** A question that the user asks after the writes. */
  readonly question?: RetailRequest;
  /** Details as the instruction phrases them. They replace the details that are derived from the gold actions. */
  readonly words?: Partial<RetailRequest>;
}

/** The order that a request is about. */
export interface Place {
  readonly order: Order;
  /** Whether the user knows the order's id. */
  readonly isKnown: boolean;
}

/**
 * Draws whether the user knows the id of `order`, and returns the order with this information. The user always knows
 * the id if no item distinguishes the order from their other orders.
 */
export function placeOf({ rng, options }: Draw, order: Order): Place {
  const isKnown = happens(rng, options.idStatedShare) ||
    markersOf(order).length === 0;
  return { order, isKnown };
}

/**
 * Returns the request fields that identify the order: its id if the user knows it, or a description by one of its items
 * otherwise.
 */
export function aboutOf(
  { order, isKnown }: Place,
): Pick<RetailRequest, "orderId" | "orderWords"> {
  return isKnown
    ? { orderId: order.orderId }
    : { orderWords: `the one with the ${markersOf(order)[0]?.name}` };
}

/** Returns the read calls that find and show the order. */
export function readsOf({ order, isKnown }: Place): ToolAction[] {
  return [
    ...isKnown ? [] : [profileOf(order.owner)],
    call("get_order_details", { order_id: order.orderId }),
  ];
}

/** Returns the call that reads a user's profile. */
export function profileOf({ userId }: StoreUser): ToolAction {
  return call("get_user_details", { user_id: userId });
}

/** Returns the call that reads the user's profile, or no calls if the order itself shows the payment method. */
export function profileFor({ order }: Place, method: Method): ToolAction[] {
  return method.id === order.paidBy ? [] : [profileOf(order.owner)];
}

/** Returns the call that reads an item's product. */
export function productOf({ productId }: Pick<Item, "productId">): ToolAction {
  return call("get_product_details", { product_id: productId });
}

/**
 * Describes an order: `order #W1234567`, `your order with the office chair`. If possible, the description mentions none
 * of the items in `beside`.
 */
export function orderWords(
  { rng }: Draw,
  { order, isKnown }: Place,
  beside: readonly Item[] = [],
): string {
  if (isKnown) {
    return rng.pick([`order ${order.orderId}`, `your order ${order.orderId}`]);
  }
  const markers = markersOf(order);
  const others = markers.filter((item) => !beside.includes(item));
  const marker = noun(rng.pick(others.length > 0 ? others : markers));
  return rng.pick([
    `your order with the ${marker}`,
    `the order with the ${marker}`,
    `the order that has the ${marker} in it`,
    `the order that you placed for the ${marker}`,
  ]);
}

/**
 * Returns a phrase that says which order contains the items: ` in order #W1234567`. It follows the items' names in a
 * sentence. It may be empty if the items alone identify the order.
 */
export function whereWords(
  draw: Draw,
  place: Place,
  items: readonly Item[],
): string {
  const { rng } = draw;
  const isTold = items.every((item) => isOnlyIn(item, place.order));
  if (isTold && !place.isKnown && rng.next() < 0.7) {
    return rng.pick(WHERE[place.order.status] ?? [""]);
  }
  return ` ${rng.pick(["from", "in"])} ${orderWords(draw, place, items)}`;
}

/** Phrases that identify an order by its status. */
const WHERE: Readonly<Record<string, readonly string[]>> = {
  pending: [
    "",
    " in your pending order",
    " in the order that is still pending",
  ],
};

/**
 * Describes an item: `the office chair`. If the order contains other items with that name, adds an option value that
 * distinguishes the item from them, if there is one: `the black office chair`.
 */
export function itemWords(item: Item, { items }: Order): string {
  const alike = items.filter((other) =>
    other !== item && other.name === item.name
  );
  const [, value] =
    [...item.options].find(([key, value]) =>
      alike.every(({ options }) => options.get(key) !== value)
    ) ?? [];
  return alike.length === 0 || value === undefined
    ? `the ${noun(item)}`
    : `the ${value} ${noun(item)}`;
}

/** Checks whether an item's description distinguishes it from the other items of its order. */
export function isDistinguishable(item: Item, order: Order): boolean {
  const others = order.items.filter((other) => other !== item);
  return others.every(({ name }) => name !== item.name) ||
    itemWords(item, order) !== `the ${noun(item)}`;
}

/** Describes a payment method: `your gift card`, `your credit card ending in 1234`. */
export function payWords({ rng }: Draw, method: Method): string {
  const words = methodWords(method.id, method.among);
  if (words === method.id) return words;
  return words === "paypal" && rng.int(2) === 0
    ? "your paypal account"
    : `your ${words}`;
}

/** Returns a product's name, in lower case if it is an ordinary noun. */
export function noun({ name }: Pick<Item, "name">): string {
  return /^[A-Z]?[a-z -]+$/.test(name.replaceAll(/\b[A-Z](?=[a-z])/g, "a"))
    ? name.toLowerCase()
    : name;
}

/** Returns the items that distinguish the order from the owner's other orders. */
function markersOf(order: Order): Item[] {
  return order.items.filter((item) => isOnlyIn(item, order));
}

/** Checks whether no other order of the owner has an item with this name. */
export function isOnlyIn(item: Item, { owner, orderId }: Order): boolean {
  return owner.orders.every((other) =>
    other.orderId === orderId ||
    other.items.every(({ name }) => name !== item.name)
  );
}
