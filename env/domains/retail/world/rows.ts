/**
 * Draws the products, users and orders of the generated retail world, in τ-bench's format.
 *
 * A variant lists its options before its item id (τ-bench lists them after it), so that a model that reads from left to
 * right knows which variant the id belongs to.
 */

import { object } from "../../shared/call.ts";
import type { Address, RetailGoal } from "../goal/request.ts";
import { Float, type JsonObject } from "../../../python/python_json.ts";
import type { Rng } from "../../../random.ts";
import { between, type Ids } from "../../../generated/draw.ts";
import type { RetailOptions } from "./options.ts";
import {
  CARD_BRANDS,
  CITIES,
  FIRST_NAMES,
  LAST_NAMES,
  STREETS,
} from "../../../generated/people.ts";
import { OPTIONS, PRODUCT_NAMES } from "./words.ts";

/** A generated variant of a product. */
export interface Variant {
  readonly itemId: string;
  readonly productId: string;
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  readonly available: boolean;
  readonly priceCents: number;
}

/** A generated product with its variants. */
export interface Product {
  readonly productId: string;
  readonly name: string;
  readonly variants: readonly Variant[];
}

/** The kind of a payment method. */
export type PaymentSource = "paypal" | "gift_card" | "credit_card";

/** A generated user's payment method. */
export interface PaymentMethod {
  readonly id: string;
  readonly source: PaymentSource;
  /** The balance in whole dollars; 0 if the method is not a gift card. */
  readonly balance: number;
  readonly row: JsonObject;
}

/** A generated user. `orders` grows while the user's tasks are drawn. */
export interface Customer {
  readonly userId: string;
  readonly identity: RetailGoal["identity"];
  readonly address: Address;
  readonly methods: readonly PaymentMethod[];
  readonly orders: Order[];
}

/** The status of a generated order. */
export type OrderStatus = "pending" | "processed" | "delivered";

/** A generated order, which {@linkcode orderRow} converts to a row. */
export interface Order {
  readonly orderId: string;
  readonly userId: string;
  readonly address: Address;
  readonly items: readonly Variant[];
  readonly status: OrderStatus;
  readonly method: PaymentMethod;
  readonly totalCents: number;
  readonly trackingId: string;
}

/** The state needed to draw rows. */
export interface Draw {
  readonly rng: Rng;
  readonly ids: Ids;
  readonly options: RetailOptions;
}

/** Draws the store's products, with their variants. */
export function drawProducts({ rng, ids, options }: Draw): Product[] {
  const names = PRODUCT_NAMES.slice(0, options.productKinds);
  return names.map((name) => {
    const productId = ids.draw(rng, { digits: 10 });
    const count = between(rng, options.variantsMin, options.variantsMax);
    const choices = rng.shuffle(combinations(options.optionsPerProduct))
      .slice(0, count);
    const variants = choices.map((choice): Variant => ({
      itemId: ids.draw(rng, { digits: 10 }),
      productId,
      name,
      options: choice,
      available: rng.next() >= options.unavailableShare,
      priceCents: 100 * (5 + rng.int(90)) + 5 * (1 + rng.int(19)),
    }));
    return { productId, name, variants };
  });
}

/** Draws a user without orders. */
export function drawCustomer({ rng, ids, options }: Draw): Customer {
  const firstName = rng.pick(FIRST_NAMES);
  const lastName = rng.pick(LAST_NAMES);
  const userId = ids.draw(rng, {
    prefix: `${firstName}_${lastName}_`,
    digits: 4,
  });
  const address = drawAddress({ rng, options });
  const digits = userId.slice(-4);
  const email = `${firstName}.${lastName}${digits}@mail.com`;
  const prefers = rng.next() < options.emailShare ? "email" : "name_zip";
  return {
    userId,
    identity: { firstName, lastName, zip: address.zip, email, prefers },
    address,
    methods: drawMethods({ rng, ids, options }),
    orders: [],
  };
}

/** Draws an order and adds it to the user's orders. */
export function drawOrder(
  { rng, ids, options }: Draw,
  { customer, status, products, method }: {
    customer: Customer;
    status: OrderStatus;
    /** The products from which items are chosen. */
    products: readonly Product[];
    method?: PaymentMethod;
  },
): Order {
  const count = between(rng, options.itemsMin, options.itemsMax);
  const items = rng.shuffle(products).slice(0, count)
    .map((product) => rng.pick(product.variants));
  const order: Order = {
    orderId: ids.draw(rng, { prefix: "#W", digits: 7 }),
    userId: customer.userId,
    address: customer.address,
    items,
    status,
    method: method ?? rng.pick(customer.methods),
    totalCents: items.reduce((sum, item) => sum + item.priceCents, 0),
    trackingId: ids.draw(rng, { digits: 12 }),
  };
  customer.orders.push(order);
  return order;
}

/** Draws a postal address. */
export function drawAddress(
  { rng, options }: Pick<Draw, "rng" | "options">,
): Address {
  const [city, state] = rng.pick(CITIES);
  return {
    address1: `${10 + rng.int(90)} ${rng.pick(STREETS)}`,
    address2: rng.next() < options.address2Share
      ? `apt ${10 + rng.int(90)}`
      : "",
    city,
    state,
    country: "usa",
    zip: String(10000 + rng.int(90000)),
  };
}

/** Converts cents to dollars. Whole amounts become floats, which Python's JSON prints with a decimal point. */
export function dollars(cents: number): number | Float {
  return cents % 100 === 0 ? new Float(cents / 100) : cents / 100;
}

/** Formats the result of {@linkcode dollars} as Python does: `12.5`, `40.0`. */
export function dollarsText(cents: number): string {
  return cents % 100 === 0 ? `${cents / 100}.0` : String(cents / 100);
}

/** Converts a product to a row of the `products` table. */
export function productRow(product: Product): JsonObject {
  const variants: JsonObject = new Map();
  for (const variant of product.variants) {
    variants.set(
      variant.itemId,
      object({
        options: object(variant.options),
        item_id: variant.itemId,
        available: variant.available,
        price: dollars(variant.priceCents),
      }),
    );
  }
  return object({
    name: product.name,
    product_id: product.productId,
    variants,
  });
}

/** Converts a user to a row of the `users` table. */
export function userRow(customer: Customer): JsonObject {
  const { identity } = customer;
  return object({
    name: object({
      first_name: identity.firstName,
      last_name: identity.lastName,
    }),
    address: addressRow(customer.address),
    email: identity.email,
    payment_methods: new Map(
      customer.methods.map((method) => [method.id, method.row]),
    ),
    orders: customer.orders.map((order) => order.orderId),
  });
}

/** Converts an order to a row of the `orders` table. */
export function orderRow(order: Order): JsonObject {
  const itemIds = order.items.map((item) => item.itemId);
  return object({
    order_id: order.orderId,
    user_id: order.userId,
    address: addressRow(order.address),
    items: order.items.map((item) =>
      object({
        name: item.name,
        product_id: item.productId,
        item_id: item.itemId,
        price: dollars(item.priceCents),
        options: object(item.options),
      })
    ),
    fulfillments: order.status === "pending"
      ? []
      : [object({ tracking_id: [order.trackingId], item_ids: itemIds })],
    status: order.status,
    payment_history: [object({
      transaction_type: "payment",
      amount: dollars(order.totalCents),
      payment_method_id: order.method.id,
    })],
  });
}

function addressRow(address: Address): JsonObject {
  return object({
    address1: address.address1,
    address2: address.address2,
    city: address.city,
    country: address.country,
    state: address.state,
    zip: address.zip,
  });
}

function drawMethods({ rng, ids, options }: Draw): PaymentMethod[] {
  const count = between(
    rng,
    options.paymentMethodsMin,
    options.paymentMethodsMax,
  );
  const sources: readonly PaymentSource[] = [
    "paypal",
    "gift_card",
    "credit_card",
  ];
  return rng.shuffle(sources).slice(0, count).map((source) => {
    const id = ids.draw(rng, { prefix: `${source}_`, digits: 7 });
    const balance = source === "gift_card" ? 20 + rng.int(400) : 0;
    const fields = source === "credit_card"
      ? {
        source,
        brand: rng.pick(CARD_BRANDS),
        last_four: String(1000 + rng.int(9000)),
        id,
      }
      : source === "gift_card"
      ? { source, balance, id }
      : { source, id };
    return { id, source, balance, row: object(fields) };
  });
}

function combinations(depth: number): Record<string, string>[] {
  let all: Record<string, string>[] = [{}];
  for (const [option, values] of OPTIONS.slice(0, depth)) {
    all = all.flatMap((one) =>
      values.map((value) => ({ ...one, [option]: value }))
    );
  }
  return all;
}
