/** Draws a request for each intent: its words, its gold actions, and the information that the agent has to state. */

import { call } from "../../shared/call.ts";
import type { Intent, RetailRequest } from "../goal/request.ts";
import { orderWords } from "../user/request_words.ts";
import { happens } from "../../../generated/draw.ts";
import {
  addressArguments,
  covers,
  drawDetails,
  REASONS,
  type World,
} from "./details.ts";
import {
  aboutOrder,
  type DrawnRequest,
  drawOrderFor,
  profileFor,
  reads,
  STATUSES,
  WANTED_STATUS,
} from "./drawn_request.ts";
import { drawOtherProfile, drawRefused } from "./refusals.ts";
import {
  type Customer,
  dollarsText,
  drawAddress,
  type Order,
  type PaymentMethod,
  type Variant,
} from "./rows.ts";

/**
 * Draws a request and, if it concerns an order, a new order for it.
 * @returns The request, or `undefined` if the draw fails, for example because there is no other variant or payment
 * method.
 */
export function drawRequest(
  world: World,
  { customer, intent }: { customer: Customer; intent: Intent },
): DrawnRequest | undefined {
  const { rng, options } = world;
  if (intent === "question") return drawQuestion(world, customer);
  if (intent === "user_address") {
    return happens(rng, options.refusedShare)
      ? drawOtherProfile(world)
      : drawUserAddress(world, customer);
  }
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

/**
 * Draws the reason or address that the user states before they change their mind. The result is empty if the user does
 * not change their mind, or if the request has neither a reason nor an address.
 */
function firstWish(
  world: World,
  { reason, address }: Partial<RetailRequest>,
): Pick<RetailRequest, "before"> {
  const { rng, options: { changeOfMindShare } } = world;
  if (!happens(rng, changeOfMindShare)) return {};
  if (reason !== undefined) {
    return { before: { reason: REASONS.find((other) => other !== reason)! } };
  }
  return address === undefined
    ? {}
    : { before: { address: drawAddress(world) } };
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

/**
 * Returns the possible questions about an order, each with its answer. In the question, `words` (such as `total of`) is
 * followed by a description of the order.
 */
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

/**
 * Draws the payment methods for a change of payment: `from`, which the order currently uses, and `to`, a different
 * method that can pay for any order. Returns `undefined` if there is no such pair.
 */
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
