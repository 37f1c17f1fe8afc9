/** What a drawn request is, and the order that it is about. */

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

/** A request and how it is met. */
export interface DrawnRequest extends Drawn<RetailRequest> {
  /** What the user asks for once it is refused. */
  readonly fallback?: DrawnRequest;
}

/** The statuses that an order may have. */
export const STATUSES: readonly OrderStatus[] = [
  "pending",
  "processed",
  "delivered",
];

/** The status in which an order can be acted on, by intent. */
export const WANTED_STATUS: Partial<Record<Intent, OrderStatus>> = {
  cancel: "pending",
  modify_items: "pending",
  modify_address: "pending",
  modify_payment: "pending",
  return: "delivered",
  exchange: "delivered",
};

/** The kinds of product that none of the user's orders has, as long as there are enough. */
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

/** An order that a request is about. */
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

/** The order in a request: by its id where it is known, else by an item. */
export function aboutOrder(
  order: Order,
  { known, world }: { known: boolean; world: World },
): Pick<RetailRequest, "orderId" | "orderWords"> {
  return known
    ? { orderId: order.orderId }
    : { orderWords: `the one with the ${world.rng.pick(order.items).name}` };
}

/** The reads by which an order is found and looked at. */
export function reads(
  order: Order,
  { known }: { known: boolean },
): ToolAction[] {
  const details = call("get_order_details", { order_id: order.orderId });
  return known
    ? [details]
    : [call("get_user_details", { user_id: order.userId }), details];
}

/** The profile, where a payment method's id is asked for that the order itself does not show. */
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
