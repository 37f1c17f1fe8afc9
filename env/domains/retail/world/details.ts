/** Draws the details of a request about an order: items, replacements, payment method and address. */

import { call } from "../../shared/call.ts";
import type { Address, Intent, RetailRequest } from "../goal/request.ts";
import type { ToolAction } from "../../../types.ts";
import { between } from "../../../generated/draw.ts";
import {
  type Customer,
  type Draw,
  drawAddress,
  type Order,
  type PaymentMethod,
  type Product,
  type Variant,
} from "./rows.ts";

/** The reasons for a cancellation that the policy accepts. */
export const REASONS = ["no longer needed", "ordered by mistake"] as const;

/** The context for drawing requests. */
export interface World extends Draw {
  readonly products: readonly Product[];
  /** Draws another user, for whom no tasks are drawn. The task's user may not access that user's rows. */
  stranger(): Customer;
}

/** The details of a request about an order, in the user's words, and the calls that fulfill the request. */
export interface Details {
  readonly words: Partial<RetailRequest>;
  readonly actions: readonly ToolAction[];
}

/** The user, order and intent for which details are drawn. */
export interface DetailsOf {
  readonly customer: Customer;
  readonly intent: Intent;
  readonly order: Order;
  /** The new payment method, for the intent `modify_payment`. */
  readonly target?: { readonly to: PaymentMethod } | undefined;
}

/**
 * Draws the details of a request with the given intent for an order, or returns `undefined` if the draw fails, for
 * example because no other variant is available.
 */
export function drawDetails(world: World, of: DetailsOf): Details | undefined {
  const { order } = of;
  const order_id = order.orderId;
  switch (of.intent) {
    case "cancel": {
      const reason = world.rng.pick(REASONS);
      return {
        words: { reason },
        actions: [call("cancel_pending_order", { order_id, reason })],
      };
    }
    case "modify_address": {
      const address = drawAddress(world);
      return {
        words: { address },
        actions: [
          call("modify_pending_order_address", {
            order_id,
            ...addressArguments(address),
          }),
        ],
      };
    }
    case "modify_payment": {
      const to = of.target?.to ?? order.method;
      return {
        words: { payment: paymentWords(to) },
        actions: [
          call("modify_pending_order_payment", {
            order_id,
            payment_method_id: to.id,
          }),
        ],
      };
    }
    case "return":
      return drawReturn(world, of);
    default:
      return drawSwap(world, of);
  }
}

function drawReturn(world: World, { customer, order }: DetailsOf): Details {
  const items = drawItems(world, order.items);
  const methods = customer.methods.filter((method) =>
    method.source === "gift_card" || method.id === order.method.id
  );
  const method = world.rng.pick(
    // The user has no payment method that paid for another user's order.
    methods.length > 0 ? methods : customer.methods,
  );
  return {
    words: {
      items: items.map((item) => item.name),
      payment: paymentWords(method),
    },
    actions: [call("return_delivered_order_items", {
      order_id: order.orderId,
      item_ids: items.map((item) => item.itemId),
      payment_method_id: method.id,
    })],
  };
}

function drawSwap(
  world: World,
  { customer, order, intent }: DetailsOf,
): Details | undefined {
  const swaps = drawItems(world, order.items).map((item) => {
    const others = variantsOf(world, item).filter((one) =>
      one.available && one.itemId !== item.itemId
    );
    return others.length === 0
      ? undefined
      : { from: item, to: world.rng.pick(others) };
  }).filter((swap) => swap !== undefined);
  if (swaps.length === 0) return undefined;
  const extra = swaps.reduce(
    (sum, { from, to }) => sum + to.priceCents - from.priceCents,
    0,
  );
  const methods = customer.methods.filter((method) => covers(method, extra));
  if (methods.length === 0) return undefined;
  const method = world.rng.pick(methods);
  const tool = intent === "exchange"
    ? "exchange_delivered_order_items"
    : "modify_pending_order_items";
  return {
    words: {
      items: swaps.map(({ from }) => from.name),
      newItems: swaps.map(({ to }) => optionWords(to)),
      payment: paymentWords(method),
    },
    actions: [
      ...swaps.map(({ from }) =>
        call("get_product_details", { product_id: from.productId })
      ),
      call(tool, {
        order_id: order.orderId,
        item_ids: swaps.map(({ from }) => from.itemId),
        new_item_ids: swaps.map(({ to }) => to.itemId),
        payment_method_id: method.id,
      }),
    ],
  };
}

/** Returns all variants of an item's product. */
export function variantsOf(
  { products }: World,
  { productId }: Variant,
): readonly Variant[] {
  return products.find((one) => one.productId === productId)?.variants ?? [];
}

/** Checks whether a payment method can pay an amount in cents. A negative amount is a refund. */
export function covers(method: PaymentMethod, cents: number): boolean {
  return method.source !== "gift_card" || 100 * method.balance >= cents;
}

/** Draws some of an order's items, in random order. */
export function drawItems(
  { rng, options }: World,
  items: readonly Variant[],
): readonly Variant[] {
  const most = Math.min(options.requestedItemsMax, items.length);
  return rng.shuffle(items).slice(0, between(rng, 1, most));
}

/** Returns the user's words for a payment method: `my gift card`. */
export function paymentWords(method: PaymentMethod): string {
  return `my ${method.source.replace("_", " ")}`;
}

/** Returns a variant's options as words: `red large`. */
export function optionWords(item: Variant): string {
  return Object.values(item.options).join(" ");
}

/** Converts an address to tool arguments. */
export function addressArguments(address: Address): Record<string, string> {
  const { address1, address2, city, state, country, zip } = address;
  return { address1, address2, city, state, country, zip };
}
