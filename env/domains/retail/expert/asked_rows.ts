/** Finds the rows that a user's question refers to, and reads any of them that the expert has not read yet. */

import type { Desk, Script } from "../../../agents/desk.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { call } from "../../shared/call.ts";
import { rows, text, texts } from "../../shared/read_row.ts";
import { changesMadeBy } from "./made_changes.ts";

/** A user's question in lower case, and the expert's record of the conversation. */
export interface Question {
  readonly words: string;
  readonly desk: Desk;
}

/** Reads the user's profile, unless the expert has already read it. */
export function* readUser(desk: Desk): Script {
  if (desk.user !== undefined) return;
  yield* desk.call(call("get_user_details", { user_id: desk.userId }));
}

/**
 * Returns an order, or `undefined` if it does not exist. Reads the order first if the expert has not read it yet.
 * @param note The note that accompanies the call, if one is made.
 */
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

/** Returns all of the user's orders. Reads the profile and the orders that the expert has not read yet. */
function* ownOrders(desk: Desk): Script<JsonObject[]> {
  yield* readUser(desk);
  const orders: JsonObject[] = [];
  for (const order_id of texts(desk.user, "orders")) {
    orders.push((yield* readOrder(desk, order_id)) ?? new Map());
  }
  return orders;
}

/**
 * Returns the orders that a question names by id or, failing that, by status or, failing that, by an item that they
 * contain. If it names no order, returns the orders that the expert has changed or, if there are none, the user's last
 * order.
 */
export function* ordersAskedAbout(
  { words, desk }: Question,
): Script<JsonObject[]> {
  const orders = yield* ownOrders(desk);
  const acted = new Set(changesMadeBy(desk).map(({ orderId }) => orderId));
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

/** Returns the items that a question names, from all of the user's orders. */
export function* itemsNamed({ words, desk }: Question): Script<JsonObject[]> {
  const orders = yield* ownOrders(desk);
  return orders.flatMap((order) => itemsBought(order, desk))
    .filter((item) => isNamed(item, words));
}

/** Returns an order's items as a tool first showed them, before any change by the expert. */
export function itemsBought(order: JsonObject, { calls }: Desk): JsonObject[] {
  const id = text(order, "order_id");
  const first = calls.find(({ shown }) => text(shown, "order_id") === id)
    ?.shown;
  return rows(first, "items");
}

/** Reads and returns the store's products that a question names. */
export function* productsNamed(
  { words, desk }: Question,
): Script<JsonObject[]> {
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

/** Checks whether the words name an item, ignoring everything but letters: `tshirts` matches `T-Shirt`. */
function isNamed(item: JsonObject, words: string): boolean {
  const letters = (one: string) => one.toLowerCase().replaceAll(/[^a-z]/g, "");
  return letters(words).includes(letters(text(item, "name")));
}
