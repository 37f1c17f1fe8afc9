/**
 * Checks a call against telecom's policy before the call is made. The check is independent of the tools and the expert.
 */

import type { Databases } from "../../../domain.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { numberIn, texts } from "../../shared/read_row.ts";
import { TODAY } from "../account/billing.ts";

/** A call to check, with the facts about its task that the policy depends on. */
export interface Step {
  readonly name: string;
  readonly arguments: JsonObject;
  /** The amount of data that the user has agreed to buy, in GB; 0 if the user has agreed to buy none. */
  readonly agreedGb: number;
  /** Whether the problem cannot be fixed by allowed actions. */
  readonly isHopeless: boolean;
}

/** The maximum amount of data that a user may buy, in GB. */
const MAX_GB = 2;

/**
 * Returns the policy rule that a call breaks, or `null` if it breaks none. The policy does not restrict calls by the
 * user.
 */
export function ruleBroken(
  { agent, user }: Databases,
  { name, arguments: args, agreedGb, isHopeless }: Step,
): string | null {
  const row = (table: string, id: JsonValue | undefined) =>
    agent.get(table, String(id));
  const line = row("lines", args.get("line_id"));
  const bills = texts(row("customers", args.get("customer_id")), "bill_ids")
    .map((id) => row("bills", id)?.get("status"));
  switch (name) {
    case "send_payment_request":
      if (row("bills", args.get("bill_id"))?.get("status") !== "Overdue") {
        return "payment may be requested only for an overdue bill";
      }
      return bills.includes("Awaiting Payment")
        ? "payment may be requested for only one bill at a time"
        : null;
    case "resume_line":
      if (String(line?.get("contract_end_date") ?? "9999") < TODAY) {
        return "a line whose contract has ended must stay suspended";
      }
      return bills.includes("Overdue")
        ? "a line must stay suspended while a bill is overdue"
        : null;
    case "refuel_data": {
      const amount = numberIn(args, "gb_amount");
      if (amount > MAX_GB) return "at most 2 GB may be sold";
      return amount === agreedGb
        ? null
        : "the amount must equal the amount that the user agreed to";
    }
    case "enable_roaming":
      return user?.get("phone", "surroundings")?.get("is_abroad") === true
        ? null
        : "roaming is only for users abroad";
    case "suspend_line":
    case "disable_roaming":
      return "the user did not ask for this change";
    case "transfer_to_human_agents":
      return isHopeless
        ? null
        : "a user may be transferred only if nothing else helps";
    default:
      return null;
  }
}
