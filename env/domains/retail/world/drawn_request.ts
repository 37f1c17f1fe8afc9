/**
 * The type of the retail world's drawn requests, and functions that draw, describe and read the orders that they
 * concern.
 */

import { call } from "../../shared/call.ts";
import type { ToolAction } from "../../../types.ts";
import type { Intent, RetailRequest } from "../goal/request.ts";
import type { Drawn } from "../../../generated/draw.ts";
import type { World } from "./details.ts";
import {
  type Customer,
  drawOrder,
  type Order,
  type OrderStatus,
  type PaymentMethod,
  type Product,
} from "./rows.ts";

/** A request and the actions that fulfill it. */
export interface DrawnRequest extends Drawn<RetailRequest> {
  /** The request that the user makes after this request is refused. */
  readonly fallback?: DrawnRequest;
}

/** The statuses that an order may have. */
export const STATUSES: readonly OrderStatus[] = [
  "pending",
  "processed",
  "delivered",
];

/** The order status that each intent requires. */
export const WANTED_STATUS: Partial<Record<Intent, OrderStatus>> = {
  cancel: "pending",
  modify_items: "pending",
  modify_address: "pending",
  modify_payment: "pending",
  return: "delivered",
  exchange: "delivered",
};

/** Returns the products that occur in none of the user's orders, or all products if too few remain. */
export function freshProducts(
  world: World,
  customer: Customer,
): readonly Product[] {
  const had = new Set(
    customer.orders.flatMap((order) => order.items.map((item) => item.name)),
  );
  const fresh = world.products.filter((product) => !had.has(product.name));
  return fresh.length < world.options.itemsMax ? world.products : fresh;
}

/**
 * Draws an order for a request, preferably of products that the user has not ordered before, and adds it to the user's
 * orders.
 */
export function drawOrderFor(
  world: World,
  { customer, status, method }: {
    customer: Customer;
    status: OrderStatus;
    method?: PaymentMethod;
  },
): Order {
  return drawOrder(world, {
    customer,
    status,
    products: freshProducts(world, customer),
    ...method && { method },
  });
}

/**
 * Returns the request fields that identify an order: its id if the user knows it, or a description by one of its items
 * otherwise.
 */
export function aboutOrder(
  order: Order,
  { known, world }: { known: boolean; world: World },
): Pick<RetailRequest, "orderId" | "orderWords"> {
  return known
    ? { orderId: order.orderId }
    : { orderWords: `the one with the ${world.rng.pick(order.items).name}` };
}

/** Returns the read calls that find and show an order. */
export function reads(
  order: Order,
  { known }: { known: boolean },
): ToolAction[] {
  const details = call("get_order_details", { order_id: order.orderId });
  return known
    ? [details]
    : [call("get_user_details", { user_id: order.userId }), details];
}

/**
 * Returns the call that reads the user's profile. Returns no calls if the request needs no payment method or if the
 * order shows the payment method.
 */
export function profileFor(
  actions: readonly ToolAction[],
  { method, userId }: Order,
): ToolAction[] {
  const isOther = actions.some(({ arguments: args }) => {
    const id = args.get("payment_method_id");
    return id !== undefined && id !== method.id;
  });
  return isOther ? [call("get_user_details", { user_id: userId })] : [];
}
