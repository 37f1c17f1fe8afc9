/** The rows that a user's words are about, looked up where they are not on the desk. */

import type { Desk, Script } from "../../../agents/desk.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { call } from "../../shared/call.ts";
import { rows, text, texts } from "../../shared/read_row.ts";
import { deedsOn } from "./deeds.ts";

/** A question, lower case, and the desk that it is asked at. */
export interface Asked {
  readonly words: string;
  readonly desk: Desk;
}

/** The user's profile, read once. */
export function* readUser(desk: Desk): Script {
  if (desk.user !== undefined) return;
  yield* desk.call(call("get_user_details", { user_id: desk.userId }));
}

/** An order, read once. */
export function* readOrder(
  desk: Desk,
  order_id: string,
  note = "",
): Script<JsonObject | undefined> {
  if (desk.row("order_id", order_id) === undefined) {
    yield* desk.call(call("get_order_details", { order_id }), note);
  }
  return desk.row("order_id", order_id);
}

/** All orders of the user, read. */
function* ownOrders(desk: Desk): Script<JsonObject[]> {
  yield* readUser(desk);
  const orders: JsonObject[] = [];
  for (const order_id of texts(desk.user, "orders")) {
    orders.push((yield* readOrder(desk, order_id)) ?? new Map());
  }
  return orders;
}

/**
 * The orders that a question is about: those whose id, status or item it names, else those that something was done
 * about, else the last one.
 */
export function* ordersMeant({ words, desk }: Asked): Script<JsonObject[]> {
  const orders = yield* ownOrders(desk);
  const acted = new Set(deedsOn(desk).map(({ orderId }) => orderId));
  const ways: ((order: JsonObject) => boolean)[] = [
    (order) => words.includes(text(order, "order_id").toLowerCase()),
    (order) => words.includes(text(order, "status")),
    (order) => rows(order, "items").some((item) => isNamed(item, words)),
    (order) => acted.has(text(order, "order_id")),
  ];
  const found = ways.map((way) => orders.filter(way))
    .find((some) => some.length > 0);
  return found ?? orders.slice(-1);
}

/** The items that a question names, of the user's orders. */
export function* itemsNamed({ words, desk }: Asked): Script<JsonObject[]> {
  const orders = yield* ownOrders(desk);
  return orders.flatMap((order) => itemsBought(order, desk))
    .filter((item) => isNamed(item, words));
}

/** The items of an order as it was when it was first looked at. */
export function itemsBought(order: JsonObject, { calls }: Desk): JsonObject[] {
  const id = text(order, "order_id");
  const first = calls.find(({ shown }) => text(shown, "order_id") === id)
    ?.shown;
  return rows(first, "items");
}

/** The products of the store that a question names, read. */
export function* productsNamed({ words, desk }: Asked): Script<JsonObject[]> {
  yield* desk.call(call("list_all_product_types", {}));
  const products: JsonObject[] = [];
  const listed = desk.calls.at(-1)?.shown;
  for (const [name, id] of listed instanceof Map ? listed : []) {
    if (!isNamed(new Map([["name", name]]), words)) continue;
    yield* desk.call(call("get_product_details", { product_id: id }));
    products.push(desk.row("product_id", String(id)) ?? new Map());
  }
  return products;
}

/** Whether words have the name of an item in them, whatever stands between its letters: `tshirts` for `T-Shirt`. */
function isNamed(item: JsonObject, words: string): boolean {
  const letters = (one: string) => one.toLowerCase().replaceAll(/[^a-z]/g, "");
  return letters(words).includes(letters(text(item, "name")));
}
