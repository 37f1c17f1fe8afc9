/** A wish of a user of the store, how the instruction words it, and what tells its order from their others. */

import { happens } from "../../../generated/draw.ts";
import type { RowOptions } from "../../../generated/row_options.ts";
import type { Rng } from "../../../random.ts";
import type { ToolAction } from "../../../types.ts";
import { call } from "../../shared/call.ts";
import type { Intent, RetailRequest } from "../goal/request.ts";
import { methodWords } from "../user/bench_goal.ts";
import type { Item, Method, Order, Store, StoreUser } from "./store.ts";

/** What wishes are drawn with. */
export interface Draw {
  readonly rng: Rng;
  readonly store: Store;
  readonly options: RowOptions;
}

/** One wish. */
export interface Wish {
  readonly intent: Intent;
  /** What is wanted, to follow "you want to". */
  readonly clause: string;
  /** A sentence that comes before it. */
  readonly before?: string;
  /** Sentences that belong to it. */
  readonly after?: readonly string[];
  /** Reads, then the writes. */
  readonly actions: readonly ToolAction[];
  readonly outputs: readonly string[];
  /** What comes back for it, as Python writes it. */
  readonly refunds?: readonly string[];
  /** What is refused before the writes. */
  readonly refused?: RetailRequest;
  /** What is asked after them. */
  readonly asked?: RetailRequest;
  /** What the instruction says of the write's details where a user who is asked says something else. */
  readonly words?: Partial<RetailRequest>;
}

/** An order in a wish. */
export interface Place {
  readonly order: Order;
  /** Whether the user knows its id. */
  readonly isKnown: boolean;
}

/** Whether the user knows the id of an order; has to, where another one has the like of all its items. */
export function placeOf({ rng, options }: Draw, order: Order): Place {
  const isKnown = happens(rng, options.idStatedShare) ||
    markersOf(order).length === 0;
  return { order, isKnown };
}

/** The order of a request, as a scripted user of a benchmark's task says it. */
export function aboutOf(
  { order, isKnown }: Place,
): Pick<RetailRequest, "orderId" | "orderWords"> {
  return isKnown
    ? { orderId: order.orderId }
    : { orderWords: `the one with the ${markersOf(order)[0]?.name}` };
}

/** The reads by which the order is found. */
export function readsOf({ order, isKnown }: Place): ToolAction[] {
  return [
    ...isKnown ? [] : [profileOf(order.owner)],
    call("get_order_details", { order_id: order.orderId }),
  ];
}

/** The read of a user's profile. */
export function profileOf({ userId }: StoreUser): ToolAction {
  return call("get_user_details", { user_id: userId });
}

/** The read of the profile, where a method is meant that the order does not show. */
export function profileFor({ order }: Place, method: Method): ToolAction[] {
  return method.id === order.paidBy ? [] : [profileOf(order.owner)];
}

/** The read of an item's product. */
export function productOf({ productId }: Pick<Item, "productId">): ToolAction {
  return call("get_product_details", { product_id: productId });
}

/** `order #W1234567`, `your order with the office chair`; by another item than those `beside` it, where it has one. */
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

/** Where items are, to follow them; nothing where the items tell it. */
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

/** What tells the order that items are in by its status. */
const WHERE: Readonly<Record<string, readonly string[]>> = {
  pending: [
    "",
    " in your pending order",
    " in the order that is still pending",
  ],
};

/** `the office chair`; with what tells it from others of its name in the order. */
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

/** Whether words tell an item from the others of its order. */
export function isTellable(item: Item, order: Order): boolean {
  const others = order.items.filter((other) => other !== item);
  return others.every(({ name }) => name !== item.name) ||
    itemWords(item, order) !== `the ${noun(item)}`;
}

/** `your gift card`, `your credit card ending in 1234`. */
export function payWords({ rng }: Draw, method: Method): string {
  const words = methodWords(method.id, method.among);
  if (words === method.id) return words;
  return words === "paypal" && rng.int(2) === 0
    ? "your paypal account"
    : `your ${words}`;
}

/** A kind of product as people write it. */
export function noun({ name }: Pick<Item, "name">): string {
  return /^[A-Z]?[a-z -]+$/.test(name.replaceAll(/\b[A-Z](?=[a-z])/g, "a"))
    ? name.toLowerCase()
    : name;
}

/** Items that no other order of the owner has a like of. */
function markersOf(order: Order): Item[] {
  return order.items.filter((item) => isOnlyIn(item, order));
}

/** Whether no other order of the owner has an item of its name. */
export function isOnlyIn(item: Item, { owner, orderId }: Order): boolean {
  return owner.orders.every((other) =>
    other.orderId === orderId ||
    other.items.every(({ name }) => name !== item.name)
  );
}
