/**
 * The reads that retail's policy demands: find the user, look at an order before anything is done about it or said
 * of it, and at a gift card's balance before it is said to be too low.
 */

import { call } from "../../shared/call.ts";
import type { RetailRequest, RetailTask } from "./request.ts";
import type { Database } from "../../../database.ts";
import type { ToolAction } from "../../../types.ts";
import { ordersMeant } from "./meanings.ts";

/** The reads that policy demands of a task. */
export function duties(task: RetailTask, database: Database): ToolAction[] {
  const { goal, userId } = task;
  if (goal === undefined) return [];
  const orders = goal.requests.flatMap((request) =>
    request.orderId === undefined && request.orderWords === undefined
      ? []
      : ordersMeant({ request, database, userId })
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
