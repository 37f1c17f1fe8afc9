/** The functions that tasks call to set up and check the account. Agents cannot call them. */

import type { BundleFunction } from "../../../domain.ts";
import type { Database } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { absolute, compare, subtract } from "../../../python/python_number.ts";
import { asNumber, isEqual } from "../../../python/python_object.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { LAST_MONTH_END, openOverdueBill, TODAY } from "../account/billing.ts";
import { billsOf, edit, find, ids, ownLineId } from "../account/lookups.ts";
import { argument } from "./function_arguments.ts";

/** Functions that set up the account. */
export const accountSetup: Readonly<Record<string, BundleFunction>> = {
  set_data_usage(database, args) {
    const line = edit(database, "lines", lineIn(database, args));
    line.set("data_used_gb", argument(args, "data_used_gb"));
    return undefined;
  },
  suspend_line_for_overdue_bill(database, args) {
    const lineId = argument(args, "line_id");
    const line = find(database, "lines", lineId);
    if (line.get("status") !== "Active") {
      throw new ToolError("Line must be active to suspend for unpaid bill");
    }
    const plan = find(database, "plans", line.get("plan_id") ?? null);
    const amount = asNumber(plan.get("price_per_month") ?? null);
    if (compare(amount, 0) <= 0) {
      throw new ToolError("Amount must be positive for overdue bill");
    }
    const customerId = argument(args, "customer_id");
    const customer = find(database, "customers", customerId);
    const isOverdue = billsOf(database, customer).some((bill) =>
      bill.get("status") === "Overdue"
    );
    if (isOverdue) throw new ToolError("Customer already has an overdue bill");
    openOverdueBill(database, {
      billId: argument(args, "new_bill_id"),
      customerId,
      charge: { description: `Charge for line ${pythonStr(lineId)}`, amount },
    });
    suspend(edit(database, "lines", lineId), argument(args, "contract_ended"));
    return undefined;
  },
};

function suspend(line: JsonObject, hasContractEnded: JsonValue): void {
  line.set("status", "Suspended");
  line.set("suspension_start_date", TODAY);
  if (hasContractEnded === true) line.set("contract_end_date", LAST_MONTH_END);
}

/** Functions that check the account. */
export const accountAssertions: Readonly<Record<string, BundleFunction>> = {
  assert_data_refueling_amount(database, args) {
    const line = find(database, "lines", lineIn(database, args));
    const amount = asNumber(line.get("data_refueling_gb") ?? null);
    const expected = asNumber(argument(args, "expected_amount"));
    return compare(absolute(subtract(amount, expected)), 1e-6) < 0;
  },
  assert_line_status(database, args) {
    const line = find(database, "lines", lineIn(database, args));
    const status = line.get("status") ?? null;
    return isEqual(status, argument(args, "expected_status"));
  },
  assert_overdue_bill_exists(database, args) {
    const id = argument(args, "overdue_bill_id");
    const customer = find(
      database,
      "customers",
      argument(args, "customer_id"),
    );
    if (!ids(customer, "bill_ids").some((one) => one === id)) {
      throw new ToolError(`Overdue bill ${pythonStr(id)} not found`);
    }
    if (find(database, "bills", id).get("status") !== "Overdue") {
      throw new ToolError(`Overdue bill ${pythonStr(id)} is not overdue`);
    }
    return true;
  },
  assert_no_overdue_bill(database, args) {
    const id = argument(args, "overdue_bill_id");
    if (typeof id !== "string" || !database.has("bills", id)) return true;
    return find(database, "bills", id).get("status") === "Paid";
  },
};

function lineIn(database: Database, args: JsonObject): string {
  return ownLineId(database, {
    customer_id: argument(args, "customer_id"),
    line_id: argument(args, "line_id"),
  });
}
