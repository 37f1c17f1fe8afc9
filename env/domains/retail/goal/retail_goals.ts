/** The `goals` part of the retail domain, which relates users' requests to tool calls. */

import type { GoalsPart } from "../../../domain.ts";
import { requiredReads } from "./required_reads.ts";
import { effectError } from "./effects.ts";
import { fulfillingCalls } from "./fulfilling_calls.ts";
import type { RetailGoal, RetailRequest } from "./request.ts";
import { wrongWrites } from "./wrong_writes.ts";

/** The write tool for each intent, and the functions that relate retail requests to tool calls. */
export const retailGoals = {
  tools: {
    cancel: "cancel_pending_order",
    return: "return_delivered_order_items",
    exchange: "exchange_delivered_order_items",
    modify_items: "modify_pending_order_items",
    modify_address: "modify_pending_order_address",
    modify_payment: "modify_pending_order_payment",
    user_address: "modify_user_address",
  },
  fulfillingCalls,
  effectError,
  requiredReads,
  wrongWrites,
  details: ({ items = [], newItems = [], reason, payment, address }) =>
    [...items, ...newItems, reason, payment, address?.address1]
      .filter((detail) => detail !== undefined).filter((words) => words !== ""),
  subject: ({ orderId }) => orderId,
} satisfies GoalsPart<RetailRequest, RetailGoal>;
