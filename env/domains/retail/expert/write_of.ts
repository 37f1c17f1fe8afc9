/** Builds the tool call that fulfills a request. */

import type { JsonValue } from "../../../python/python_value.ts";
import type { ToolAction } from "../../../types.ts";
import { call } from "../../shared/call.ts";
import { text } from "../../shared/read_row.ts";
import { ADDRESS_FIELDS } from "../address.ts";
import type { RetailRequest } from "../goal/request.ts";
import { retailGoals } from "../goal/retail_goals.ts";
import type { Details } from "./refusal_of.ts";

/** Returns the tool call that fulfills a request, given its resolved details. */
export function writeOf(
  request: RetailRequest,
  { orderId, userId, details }: {
    orderId: string;
    userId: string;
    details: Details;
  },
): ToolAction {
  const { intent, reason, address, items, newItems, payment } = request;
  const about = intent === "user_address"
    ? { user_id: userId }
    : { order_id: orderId };
  const fields: Record<string, JsonValue> = { ...about };
  if (reason !== undefined) fields.reason = reason;
  if (items !== undefined) fields.item_ids = idsOf(details.items);
  if (newItems !== undefined) fields.new_item_ids = idsOf(details.variants);
  if (payment !== undefined) fields.payment_method_id = details.paymentId;
  if (address !== undefined) {
    for (const field of ADDRESS_FIELDS) fields[field] = address[field];
  }
  return call(
    retailGoals.tools[intent as keyof typeof retailGoals.tools],
    fields,
  );
}

function idsOf(items: Details["items"]): string[] {
  return items.map((item) => text(item, "item_id"));
}
