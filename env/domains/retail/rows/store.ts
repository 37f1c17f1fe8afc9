/**
 * Indexes a retail database: the users for whom tasks may be drawn, their orders by status, and the variants of
 * products.
 */

import type { Database } from "../../../database.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { row, rows, text, texts } from "../../shared/read_row.ts";
import type { Address } from "../goal/request.ts";

/** An item of an order, or a variant of a product. */
export interface Item {
  readonly itemId: string;
  readonly productId: string;
  /** The name of the product. */
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
  /** The price as Python prints it. */
  readonly price: string;
  readonly cents: number;
}

/** A variant of a product. It can replace an item only if it is available. */
export interface Variant extends Item {
  readonly available: boolean;
}

/** An order of a {@linkcode StoreUser}. */
export interface Order {
  readonly orderId: string;
  readonly status: string;
  readonly address: Address;
  readonly items: readonly Item[];
  /** The id of the payment method that originally paid for the order. */
  readonly paidBy: string;
  /** The amount paid, as Python prints it. */
  readonly total: string;
  readonly cents: number;
  readonly trackingId: string;
  readonly owner: StoreUser;
}

/** A payment method of a {@linkcode StoreUser}. */
export interface Method {
  readonly id: string;
  readonly source: string;
  /** The balance in cents; `Infinity` if the method is not a gift card. */
  readonly balance: number;
  /** The balance as Python prints it. */
  readonly balanceText: string;
  /** All payment methods of the owner, as their profile lists them. */
  readonly among: readonly JsonObject[];
}

/** A user for whom tasks may be drawn. */
export interface StoreUser {
  readonly userId: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly address: Address;
  readonly methods: readonly Method[];
  readonly orders: readonly Order[];
}

/** The users, orders and products from which tasks are drawn. */
export interface Store {
  readonly people: readonly StoreUser[];
  /** The users' orders, by status. */
  readonly orders: ReadonlyMap<string, readonly Order[]>;
  /** Returns all variants of the product with the given `productId`. */
  variantsOf(of: Pick<Item, "productId">): readonly Variant[];
  /** The ids of the products, in table order. */
  readonly productIds: readonly string[];
}

/** Indexes a database. Omits the users for whom `isHeldOut` returns true, and their orders. */
export function storeOf(
  database: Database,
  isHeldOut: (userId: string) => boolean,
): Store {
  const people = [...database.ids("users")]
    .filter((id) => !isHeldOut(id)).map((id) => userOf(database, id));
  const products = new Map(
    [...database.ids("products")].map((id) => [id, variants(database, id)]),
  );
  return {
    people,
    orders: Map.groupBy(
      people.flatMap(({ orders }) => orders),
      ({ status }) => status,
    ),
    variantsOf: ({ productId }) => products.get(productId) ?? [],
    productIds: [...products.keys()],
  };
}

function userOf(database: Database, userId: string): StoreUser {
  const user = database.get("users", userId);
  const name = row(user, "name");
  const orders: Order[] = [];
  const person = {
    userId,
    firstName: text(name, "first_name"),
    lastName: text(name, "last_name"),
    email: text(user, "email"),
    address: addressOf(row(user, "address")),
    methods: rows(user, "payment_methods").map((method, _, among) => ({
      ...methodOf(method),
      among,
    })),
    orders,
  };
  for (const orderId of texts(user, "orders")) {
    const order = database.get("orders", orderId);
    if (order !== undefined) orders.push(orderOf(order, person));
  }
  return person;
}

function methodOf(method: JsonObject): Omit<Method, "among"> {
  const source = text(method, "source");
  return {
    id: text(method, "id"),
    source,
    balance: source === "gift_card" ? centsOf(method, "balance") : Infinity,
    balanceText: numberText(method, "balance"),
  };
}

function orderOf(order: JsonObject, owner: StoreUser): Order {
  const [payment] = rows(order, "payment_history");
  const [parcel] = rows(order, "fulfillments");
  return {
    orderId: text(order, "order_id"),
    status: text(order, "status"),
    address: addressOf(row(order, "address")),
    items: rows(order, "items").map(itemOf),
    paidBy: text(payment, "payment_method_id"),
    total: numberText(payment, "amount"),
    cents: centsOf(payment, "amount"),
    trackingId: texts(parcel, "tracking_id")[0] ?? "",
    owner,
  };
}

function variants(database: Database, productId: string): Variant[] {
  const product = database.get("products", productId);
  const name = text(product, "name");
  return rows(product, "variants").map((variant) => ({
    ...itemOf(variant),
    productId,
    name,
    available: variant.get("available") === true,
  }));
}

function itemOf(item: JsonObject): Item {
  const options = [...row(item, "options") ?? []];
  return {
    itemId: text(item, "item_id"),
    productId: text(item, "product_id"),
    name: text(item, "name"),
    options: new Map(options.map(([key, value]) => [key, String(value)])),
    price: numberText(item, "price"),
    cents: centsOf(item, "price"),
  };
}

function addressOf(address: JsonObject | undefined): Address {
  return {
    address1: text(address, "address1"),
    address2: text(address, "address2"),
    city: text(address, "city"),
    state: text(address, "state"),
    country: text(address, "country"),
    zip: text(address, "zip"),
  };
}

function numberText(parent: JsonObject | undefined, field: string): string {
  return pythonStr(parent?.get(field) ?? 0);
}

function centsOf(parent: JsonObject | undefined, field: string): number {
  return Math.round(100 * Number(numberText(parent, field)));
}
