/**
 * Defines which of the store's rows belong to which user, and which write calls restore an earlier address in a row.
 */

import type { RowsPart } from "../../domain.ts";
import type { JsonObject } from "../../python/python_value.ts";
import type { ToolAction } from "../../types.ts";
import { PAYMENT_ID } from "../shared/payment.ts";

/**
 * The ownership rules of the retail domain: the tables with rows that belong to a user, and the tables that every user
 * may read.
 */
export const retailRows: RowsPart = {
  owned: [{
    table: "orders",
    argument: "order_id",
    noun: "order",
    id: /#W\d+/g,
  }],
  open: ["products"],
  ids: [/#w\d+/gi, PAYMENT_ID],
  restores: {
    orders: (row, id) =>
      restoreAddress("modify_pending_order_address", ["order_id", id], row),
    users: (row, id) =>
      restoreAddress("modify_user_address", ["user_id", id], row),
  },
};

function restoreAddress(
  name: string,
  of: [argument: string, id: string],
  row: JsonObject,
): ToolAction[] {
  const address = row.get("address");
  return address instanceof Map
    ? [{ name, arguments: new Map([of, ...address]) }]
    : [];
}
