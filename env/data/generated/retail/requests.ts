/**
 * Draws what customers want: for each intent the request in words, the gold actions and what must be told.
 *
 * @module
 */

import type { Intent, Request, ToolAction } from "../../../types.ts";
import { orderWords } from "../../../users/_wording.ts";
import {
  addressArguments,
  call,
  covers,
  drawDetails,
  type World,
} from "./details.ts";
import {
  type Customer,
  dollarsText,
  drawAddress,
  drawOrder,
  type Order,
  type OrderStatus,
  type PaymentMethod,
  type Product,
  type Variant,
} from "./rows.ts";

/** A request and how it is met. */
export interface DrawnRequest {
  readonly request: Request;
  /** Reads, then the write if there is one. */
  readonly actions: readonly ToolAction[];
  readonly outputs: readonly string[];
  /** What the customer asks for once it is refused. */
  readonly fallback?: DrawnRequest;
}

/** What policy says when an order is somebody else's; has to be told. */
export const OTHER_ACCOUNT = "another account";

/** What a cancellation can be for. */
export const REASONS = ["no longer needed", "ordered by mistake"] as const;

const STATUSES: readonly OrderStatus[] = ["pending", "processed", "delivered"];

/** The status in which an order can be acted on, by intent; the others are refused. */
const WANTED_STATUS: Partial<Record<Intent, OrderStatus>> = {
  cancel: "pending",
  modify_items: "pending",
  modify_address: "pending",
  modify_payment: "pending",
  return: "delivered",
  exchange: "delivered",
};

/**
 * Draws a request of `customer`, with an order of its own.
 * @returns `undefined` where the draw came to nothing: no other variant, no other payment method.
 */
export function drawRequest(
  world: World,
  { customer, intent }: { customer: Customer; intent: Intent },
): DrawnRequest | undefined {
  if (intent === "user_address") return drawUserAddress(world, customer);
  if (intent === "question") return drawQuestion(world, customer);
  const { rng, options } = world;
  if (rng.next() < options.refusedShare) {
    return drawRefused(world, { customer, intent });
  }
  const target = intent === "modify_payment"
    ? drawOtherMethod(world, customer)
    : undefined;
  if (intent === "modify_payment" && target === undefined) return undefined;
  const order = drawOrderFor(world, {
    customer,
    status: WANTED_STATUS[intent] ?? "pending",
    ...target && { method: target.from },
  });
  const details = drawDetails(world, { customer, intent, order, target });
  if (details === undefined) return undefined;
  const known = rng.next() < options.orderStatedShare;
  return {
    request: {
      intent,
      ...aboutOrder(order, { known, world }),
      ...details.words,
      forthcoming: rng.next() < options.detailsStatedShare,
      ...firstWish(world, details.words),
    },
    actions: [
      ...reads(order, { known }),
      ...profileFor(details.actions, order),
      ...details.actions,
    ],
    outputs: [],
  };
}

/** Another reason or address, which the customer wants before they change their mind. */
function firstWish(
  world: World,
  { reason, address }: Partial<Request>,
): Pick<Request, "before"> {
  const { rng, options: { changeOfMindShare } } = world;
  if (changeOfMindShare === 0 || rng.next() >= changeOfMindShare) return {};
  if (reason !== undefined) {
    return { before: { reason: REASONS.find((other) => other !== reason)! } };
  }
  return address === undefined
    ? {}
    : { before: { address: drawAddress(world) } };
}

/** The profile, where a payment method's id is asked for that the order itself does not show. */
function profileFor(
  actions: readonly ToolAction[],
  { method, userId }: Order,
): ToolAction[] {
  const isOther = actions.some(({ arguments: args }) => {
    const id = args.get("payment_method_id");
    return id !== undefined && id !== method.id;
  });
  return isOther ? [call("get_user_details", { user_id: userId })] : [];
}

/** The kinds of product that none of the customer's orders has, as long as there are enough. */
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

function drawUserAddress(world: World, customer: Customer): DrawnRequest {
  const address = drawAddress(world);
  return {
    request: {
      intent: "user_address",
      address,
      forthcoming: world.rng.next() < world.options.detailsStatedShare,
      ...firstWish(world, { address }),
    },
    actions: [
      call("modify_user_address", {
        user_id: customer.userId,
        ...addressArguments(address),
      }),
    ],
    outputs: [],
  };
}

/** A request that policy refuses: the order's status is wrong, or it is somebody else's. */
function drawRefused(
  world: World,
  { customer, intent }: { customer: Customer; intent: Intent },
): DrawnRequest | undefined {
  const { rng, options } = world;
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

/** What can be done with an order whose status refused something else: a delivered one returned, a pending cancelled. */
function drawFallback(
  world: World,
  { customer, order, about }: {
    customer: Customer;
    order: Order;
    about: Pick<Request, "orderId" | "orderWords">;
  },
): DrawnRequest | undefined {
  const { rng, options } = world;
  const { fallbackShare } = options;
  if (fallbackShare === 0 || rng.next() >= fallbackShare) return undefined;
  const intents: Partial<Record<OrderStatus, Intent>> = {
    delivered: "return",
    pending: "cancel",
  };
  const intent = intents[order.status];
  if (intent === undefined) return undefined;
  const details = drawDetails(world, { customer, intent, order });
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

/** What can be asked about an order: words to go before the order's, and the answer. */
function questionsAbout(
  order: Order,
  item: Variant,
): readonly { words: string; answer: string }[] {
  const [option, value] = Object.entries(item.options)[0] ?? ["name", ""];
  const asked = [
    { words: "total of", answer: dollarsText(order.totalCents) },
    { words: "status of", answer: order.status },
    {
      words: `price of the ${item.name} in`,
      answer: dollarsText(item.priceCents),
    },
    { words: `${option} of the ${item.name} in`, answer: value },
  ];
  if (order.status !== "pending") {
    asked.push({ words: "tracking id of", answer: order.trackingId });
  }
  return asked;
}

function drawQuestion(world: World, customer: Customer): DrawnRequest {
  const { rng, options } = world;
  const card = customer.methods.find(({ source }) => source === "gift_card");
  if (card !== undefined && rng.int(4) === 0) {
    return {
      request: { intent: "question", question: "balance of my gift card" },
      actions: [call("get_user_details", { user_id: customer.userId })],
      outputs: [String(card.balance)],
    };
  }
  const order = drawOrderFor(world, { customer, status: rng.pick(STATUSES) });
  const known = rng.next() < options.orderStatedShare;
  const about = aboutOrder(order, { known, world });
  const question = rng.pick(questionsAbout(order, rng.pick(order.items)));
  const words = orderWords({ intent: "question", ...about });
  return {
    request: {
      intent: "question",
      ...about,
      question: `${question.words} ${words}`,
    },
    actions: reads(order, { known }),
    outputs: [question.answer],
  };
}

function drawOrderFor(
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

/** A method to change to that covers any order, and one to change from. */
function drawOtherMethod(
  { rng, options }: World,
  customer: Customer,
): { from: PaymentMethod; to: PaymentMethod } | undefined {
  const most = 10000 * options.itemsMax;
  const to = customer.methods.filter((method) => covers(method, most));
  if (to.length === 0 || customer.methods.length < 2) return undefined;
  const target = rng.pick(to);
  const from = customer.methods.filter((method) => method !== target);
  return { to: target, from: rng.pick(from) };
}

function aboutOrder(
  order: Order,
  { known, world }: { known: boolean; world: World },
): Pick<Request, "orderId" | "orderWords"> {
  return known
    ? { orderId: order.orderId }
    : { orderWords: `the one with the ${world.rng.pick(order.items).name}` };
}

function reads(order: Order, { known }: { known: boolean }): ToolAction[] {
  const details = call("get_order_details", { order_id: order.orderId });
  return known
    ? [details]
    : [call("get_user_details", { user_id: order.userId }), details];
}
