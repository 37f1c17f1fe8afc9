/** The agent's tools for bills, payment requests and transfers. */

import { ToolError } from "../../../errors.ts";
import { compareStrings, pythonStr } from "../../../python/python_repr.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { model } from "../../shared/toolkit/result_text.ts";
import {
  awaitingPayment,
  billsOf,
  edit,
  find,
  ids,
} from "../account/lookups.ts";
import { agentTool } from "./agent_tool.ts";

export const getBillsForCustomer = agentTool({
  name: "get_bills_for_customer",
  kind: "read",
  parameters: ["customer_id", { name: "limit", default: 12 }],
  run(database, { customer_id, limit }) {
    const customer = find(database, "customers", customer_id);
    const bills = billsOf(database, customer);
    const newestFirst = bills.sort((a, b) =>
      compareStrings(issued(b), issued(a))
    );
    return newestFirst.slice(0, sliceEnd(limit)).map(model);
  },
});

function issued(bill: JsonObject): string {
  return String(bill.get("issue_date"));
}

/**
 * Returns the end of Python's slice `[:limit]`.
 * @throws {ToolError} If the limit is not a valid slice index in Python.
 */
function sliceEnd(limit: JsonValue): number {
  if (limit === null) return Infinity;
  // A bigint exceeds the length of any list.
  if (
    typeof limit === "boolean" || typeof limit === "bigint" ||
    Number.isInteger(limit)
  ) return Number(limit);
  throw new ToolError(
    "slice indices must be integers or None or have an __index__ method",
  );
}

export const sendPaymentRequest = agentTool({
  name: "send_payment_request",
  kind: "write",
  parameters: ["customer_id", "bill_id"],
  run(database, { customer_id, bill_id }) {
    const customer = find(database, "customers", customer_id);
    if (awaitingPayment(database, customer) !== undefined) {
      throw new ToolError(
        "A bill is already awaiting payment for this customer",
      );
    }
    const id = ids(customer, "bill_ids").find((one) => one === bill_id);
    if (id === undefined) {
      throw new ToolError(
        `Bill ${pythonStr(bill_id)} not found for customer ${
          pythonStr(customer_id)
        }`,
      );
    }
    edit(database, "bills", id).set("status", "Awaiting Payment");
    return `Payment request sent to the customer for bill ${id}`;
  },
});

export const transferToHumanAgents = agentTool({
  name: "transfer_to_human_agents",
  kind: "generic",
  parameters: ["summary"],
  run: () => "Transfer successful",
});
