/** Draws requests that the policy refuses, and the requests that users make instead. */

import type { Intent, RetailRequest } from "../goal/request.ts";
import { happens } from "../../../generated/draw.ts";
import { drawBrokenRule } from "./broken_rules.ts";
import { covers, drawDetails, type World } from "./details.ts";
import {
  aboutOrder,
  type DrawnRequest,
  drawOrderFor,
  profileFor,
  reads,
  STATUSES,
  WANTED_STATUS,
} from "./drawn_request.ts";
import {
  type Customer,
  drawAddress,
  type Order,
  type OrderStatus,
} from "./rows.ts";

/** The words that the agent must say when it refuses a request because the order or profile belongs to another user. */
const OTHER_ACCOUNT = "another account";

/**
 * Draws a refused request about an order: a rule forbids its details, the order's status is wrong, or the order belongs
 * to another user. Returns `undefined` if the draw fails.
 */
export function drawRefused(
  world: World,
  { customer, intent }: { customer: Customer; intent: Intent },
): DrawnRequest | undefined {
  const { rng, options } = world;
  if (happens(rng, options.brokenRuleShare)) {
    const drawn = drawAgainstRule(world, { customer, intent });
    if (drawn !== undefined) return drawn;
  }
  const wanted = WANTED_STATUS[intent] ?? "pending";
  const isOther = rng.next() < options.otherAccountShare;
  const order = drawOrderFor(world, {
    customer: isOther ? world.stranger() : customer,
    status: isOther
      ? wanted
      : rng.pick(STATUSES.filter((status) => status !== wanted)),
  });
  const method = rng.pick(customer.methods);
  const details = drawDetails(world, {
    customer: isOther ? { ...customer, methods: [method] } : customer,
    intent,
    order,
    target: { to: method },
  });
  if (details === undefined) return undefined;
  const known = isOther || rng.next() < options.orderStatedShare;
  const outputs = [isOther ? OTHER_ACCOUNT : order.status];
  const about = aboutOrder(order, { known, world });
  const fallback = isOther
    ? undefined
    : drawFallback(world, { customer, order, about });
  return {
    request: {
      intent,
      ...about,
      ...details.words,
      forthcoming: rng.next() < options.detailsStatedShare,
      refused: true,
      refusedBy: isOther ? "account.own_order" : `order.${wanted}`,
      outputs,
    },
    actions: reads(order, { known }),
    outputs,
    ...(fallback === undefined ? {} : { fallback }),
  };
}

/** Draws a request to change the address in another user's profile. */
export function drawOtherProfile(world: World): DrawnRequest {
  const { rng, options } = world;
  return {
    request: {
      intent: "user_address",
      profileOf: world.stranger().userId,
      address: drawAddress(world),
      forthcoming: happens(rng, options.detailsStatedShare),
      refused: true,
      refusedBy: "account.own_profile",
      outputs: [OTHER_ACCOUNT],
    },
    actions: [],
    outputs: [OTHER_ACCOUNT],
  };
}

/**
 * Draws a request for an eligible order with details that a rule forbids, or returns `undefined` if no rule can be
 * broken.
 */
function drawAgainstRule(
  world: World,
  { customer, intent }: { customer: Customer; intent: Intent },
): DrawnRequest | undefined {
  const { rng, options } = world;
  const order = drawOrderFor(world, {
    customer,
    status: WANTED_STATUS[intent] ?? "pending",
  });
  const broken = drawBrokenRule(world, { customer, intent, order });
  if (broken === undefined) {
    customer.orders.pop(); // the options do not provide for an order without a request
    return undefined;
  }
  const known = rng.next() < options.orderStatedShare;
  const about = aboutOrder(order, { known, world });
  const fallback = intent !== "cancel" && happens(rng, options.fallbackShare)
    ? drawAllowed(world, { customer, order, about, intent })
    : undefined;
  return {
    request: {
      intent,
      ...about,
      ...broken.words,
      forthcoming: rng.next() < options.detailsStatedShare,
      refused: true,
      refusedBy: broken.clause,
      outputs: [broken.told],
    },
    actions: [...reads(order, { known }), ...broken.reads],
    outputs: [broken.told],
    ...(fallback === undefined ? {} : { fallback }),
  };
}

/**
 * Draws the request that a user makes after a refusal due to the order's status: to return items of a delivered order,
 * or to cancel a pending order. Returns `undefined` if the user makes no such request.
 */
function drawFallback(
  world: World,
  { customer, order, about }: {
    customer: Customer;
    order: Order;
    about: Pick<RetailRequest, "orderId" | "orderWords">;
  },
): DrawnRequest | undefined {
  const { rng, options } = world;
  if (!happens(rng, options.fallbackShare)) return undefined;
  const intents: Partial<Record<OrderStatus, Intent>> = {
    delivered: "return",
    pending: "cancel",
  };
  const intent = intents[order.status];
  return intent && drawAllowed(world, { customer, order, about, intent });
}

/** Draws an allowed request that the user makes after a refusal, or returns `undefined` if the draw fails. */
function drawAllowed(
  world: World,
  { customer, order, about, intent }: {
    customer: Customer;
    order: Order;
    about: Pick<RetailRequest, "orderId" | "orderWords">;
    intent: Intent;
  },
): DrawnRequest | undefined {
  const { rng, options } = world;
  const to = customer.methods.find((method) =>
    method !== order.method && covers(method, order.totalCents)
  );
  if (intent === "modify_payment" && to === undefined) return undefined;
  const target = to && { to };
  const details = drawDetails(world, { customer, intent, order, target });
  if (details === undefined) return undefined;
  return {
    request: {
      intent,
      ...about,
      ...details.words,
      forthcoming: rng.next() < options.detailsStatedShare,
      fallback: true,
    },
    actions: [...profileFor(details.actions, order), ...details.actions],
    outputs: [],
  };
}
