/**
 * Lists the reads that the retail policy requires: identifying the user, reading an order before changing or describing
 * it, and reading a gift card's balance before calling it too low.
 */

import { call } from "../../shared/call.ts";
import type { RetailRequest, RetailTask } from "./request.ts";
import type { Database } from "../../../database.ts";
import type { ToolAction } from "../../../types.ts";
import { candidateOrders } from "./fulfilling_calls.ts";

/** Returns the reads that the policy requires for a task. */
export function requiredReads(
  task: RetailTask,
  database: Database,
): ToolAction[] {
  const { goal, userId } = task;
  if (goal === undefined) return [];
  const orders = goal.requests.flatMap((request) =>
    request.orderId === undefined && request.orderWords === undefined
      ? []
      : candidateOrders({ request, database, userId })
  );
  const { email, firstName, lastName, zip, prefers } = goal.identity;
  return [
    prefers === "email"
      ? call("find_user_id_by_email", { email })
      : call("find_user_id_by_name_zip", {
        first_name: firstName,
        last_name: lastName,
        zip,
      }),
    ...[...new Set(orders)].map((order_id) =>
      call("get_order_details", { order_id })
    ),
    ...goal.requests.some(isAboutBalance)
      ? [call("get_user_details", { user_id: userId })]
      : [],
  ];
}

function isAboutBalance({ refusedBy = "" }: RetailRequest): boolean {
  return refusedBy.startsWith("payment.covers");
}
