/** The agent's tools for a customer's line. */

import { ToolError } from "../../../errors.ts";
import { asNumber, typeName } from "../../../python/python_object.ts";
import {
  add,
  compare,
  isPythonNumber,
  multiply,
  numberRepr,
  roundDouble2,
  toDouble,
} from "../../../python/python_number.ts";
import type { JsonValue, PythonNumber } from "../../../python/python_value.ts";
import { model, type ToolResult } from "../../shared/toolkit/result_text.ts";
import { chargeOnce, TODAY } from "../account/billing.ts";
import { edit, find, ownLineId } from "../account/lookups.ts";
import { agentTool } from "./agent_tool.ts";

export const suspendLine = agentTool({
  name: "suspend_line",
  kind: "write",
  parameters: ["customer_id", "line_id", "reason"],
  run(database, owned) {
    const id = ownLineId(database, owned);
    if (find(database, "lines", id).get("status") !== "Active") {
      throw new ToolError("Line must be active to suspend");
    }
    const line = edit(database, "lines", id);
    line.set("status", "Suspended");
    line.set("suspension_start_date", TODAY);
    return new Map<string, ToolResult>([
      [
        "message",
        "Line suspended successfully. $5/month holding fee will apply.",
      ],
      ["line", model(line)],
    ]);
  },
});

export const resumeLine = agentTool({
  name: "resume_line",
  kind: "write",
  parameters: ["customer_id", "line_id"],
  run(database, owned) {
    const id = ownLineId(database, owned);
    const status = find(database, "lines", id).get("status");
    if (status !== "Suspended" && status !== "Pending Activation") {
      throw new ToolError("Line must be suspended to resume");
    }
    const line = edit(database, "lines", id);
    line.set("status", "Active");
    line.set("suspension_start_date", null);
    return new Map<string, ToolResult>([
      ["message", "Line resumed successfully"],
      ["line", model(line)],
    ]);
  },
});

export const enableRoaming = agentTool({
  name: "enable_roaming",
  kind: "write",
  parameters: ["customer_id", "line_id"],
  run(database, owned) {
    const id = ownLineId(database, owned);
    if (find(database, "lines", id).get("roaming_enabled") === true) {
      return "Roaming was already enabled";
    }
    edit(database, "lines", id).set("roaming_enabled", true);
    return "Roaming enabled successfully";
  },
});

export const disableRoaming = agentTool({
  name: "disable_roaming",
  kind: "write",
  parameters: ["customer_id", "line_id"],
  run(database, owned) {
    const id = ownLineId(database, owned);
    if (find(database, "lines", id).get("roaming_enabled") !== true) {
      return "Roaming was already disabled";
    }
    edit(database, "lines", id).set("roaming_enabled", false);
    return "Roaming disabled successfully";
  },
});

export const getDataUsage = agentTool({
  name: "get_data_usage",
  kind: "read",
  parameters: ["customer_id", "line_id"],
  run(database, owned) {
    const line = find(database, "lines", ownLineId(database, owned));
    const plan = find(database, "plans", line.get("plan_id") ?? null);
    return new Map<string, JsonValue>([
      ["line_id", owned.line_id],
      ["data_used_gb", line.get("data_used_gb") ?? null],
      ["data_limit_gb", plan.get("data_limit_gb") ?? null],
      ["data_refueling_gb", line.get("data_refueling_gb") ?? null],
      ["cycle_end_date", "2025-02-28"],
    ]);
  },
});

export const refuelData = agentTool({
  name: "refuel_data",
  kind: "write",
  parameters: ["customer_id", "line_id", "gb_amount"],
  run(database, { gb_amount, ...owned }) {
    const id = ownLineId(database, owned);
    const gigabytes = positive(gb_amount);
    const plan = find(
      database,
      "plans",
      find(database, "lines", id).get("plan_id") ?? null,
    );
    const price = asNumber(plan.get("data_refueling_price_per_gb") ?? null);
    const charge = multiply(gigabytes, price);
    const line = edit(database, "lines", id);
    const refueled = add(
      asNumber(line.get("data_refueling_gb") ?? null),
      gigabytes,
    );
    line.set("data_refueling_gb", refueled);
    const amount = numberRepr(gigabytes);
    chargeOnce(database, String(owned.customer_id), {
      amount: charge,
      description: `Data refueling: ${amount} GB at $${numberRepr(price)}/GB`,
    });
    return new Map<string, ToolResult>([
      [
        "message",
        `Successfully added ${amount} GB of data for line ${id} for $${
          twoDecimals(charge)
        }`,
      ],
      ["new_data_refueling_gb", refueled],
      ["charge", charge],
    ]);
  },
});

/**
 * Returns the amount if it is positive.
 * @throws {ToolError} If the amount is not a positive number.
 */
function positive(amount: JsonValue): PythonNumber {
  if (!isPythonNumber(amount)) {
    throw new ToolError(
      `'<=' not supported between instances of '${typeName(amount)}' and 'int'`,
    );
  }
  if (compare(amount, 0) <= 0) {
    throw new ToolError("Refuel amount must be positive");
  }
  return amount;
}

/** Formats a number as Python's `f"{value:.2f}"` does. */
function twoDecimals(value: PythonNumber): string {
  const double = roundDouble2(toDouble(value));
  if (Number.isNaN(double)) return "nan";
  if (!Number.isFinite(double)) return double < 0 ? "-inf" : "inf";
  // `toFixed` switches to exponent notation from this value on.
  return double >= 1e21 ? `${BigInt(double)}.00` : double.toFixed(2);
}
