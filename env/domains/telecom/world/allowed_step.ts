/** What the policy says of a call before it is made, written apart from the tools and from the expert. */

import type { Databases } from "../../../domain.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { numberIn, texts } from "../../shared/read_row.ts";
import { TODAY } from "../account/billing.ts";

/** A call that is about to be made, and what the user has agreed to. */
export interface Step {
  readonly name: string;
  readonly arguments: JsonObject;
  /** How much data the user agreed to buy, in GB; 0 where none. */
  readonly agreedGb: number;
  /** Whether everything that is allowed would still not mend the phone. */
  readonly isHopeless: boolean;
}

/** The most that a user may buy, in GB. */
const MOST_GB = 2;

/** Which rule a call breaks; `null` where it breaks none. Calls of users break none. */
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
        return "only an overdue bill is asked to be paid";
      }
      return bills.includes("Awaiting Payment")
        ? "one bill at a time is asked to be paid"
        : null;
    case "resume_line":
      if (String(line?.get("contract_end_date") ?? "9999") < TODAY) {
        return "the line of a contract that has ended stays suspended";
      }
      return bills.includes("Overdue")
        ? "a line stays suspended while a bill is overdue"
        : null;
    case "refuel_data": {
      const amount = numberIn(args, "gb_amount");
      if (amount > MOST_GB) return "no more than 2 GB are sold";
      return amount === agreedGb ? null : "no more is sold than was agreed to";
    }
    case "enable_roaming":
      return user?.get("phone", "surroundings")?.get("is_abroad") === true
        ? null
        : "roaming is for users abroad";
    case "suspend_line":
    case "disable_roaming":
      return "nobody has asked for that";
    case "transfer_to_human_agents":
      return isHopeless ? null : "users are passed on where nothing else helps";
    default:
      return null;
  }
}
