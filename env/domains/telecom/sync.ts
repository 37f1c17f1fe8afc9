/**
 * Synchronizes the agent's and the user's databases: the phone reflects the line's state, and the account reflects the
 * user's payments.
 */

import type { Database } from "../../database.ts";
import type { Databases } from "../../domain.ts";
import { add, compare } from "../../python/python_number.ts";
import { asNumber } from "../../python/python_object.ts";
import { validate } from "../../python/pydantic.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import {
  awaitingPayment,
  customerByPhone,
  edit,
  find,
  lineByPhone,
} from "./account/lookups.ts";
import { PaymentRequest } from "./phone/phone_models.ts";
import { editSurroundings, isOn, surroundings } from "./phone/phone_rows.ts";

/**
 * Copies the state of the user's line to the phone, marks a bill as paid if the user has paid it, and asks the user to
 * pay the next bill that awaits payment unless a payment request is open. Does nothing if the user has no database or
 * phone number. Does not search for a network: after a line has been resumed, the phone shows no service until its next
 * search.
 * @throws {ToolError} If the user's phone number belongs to no line or no customer, or if a row that the line or its
 * customer refers to does not exist.
 */
export function syncTelecom({ agent, user }: Databases): void {
  if (user === undefined) return;
  const phone = surroundings(user).get("phone_number") ?? null;
  if (phone === null) return;
  const line = lineByPhone(agent, phone);
  setSwitch(user, "line_active", line.get("status") === "Active");
  setSwitch(user, "roaming_allowed", isOn(line, "roaming_enabled"));
  setSwitch(user, "mobile_data_usage_exceeded", isUsedUp(agent, line));
  settlePayment(agent, user);
  if (surroundings(user).get("payment_request") !== null) return;
  const bill = awaitingPayment(agent, customerByPhone(agent, phone));
  if (bill !== undefined) requestPayment(user, bill);
}

function isUsedUp(agent: Database, line: JsonObject): boolean {
  const plan = find(agent, "plans", line.get("plan_id") ?? null);
  const limit = add(
    number(plan, "data_limit_gb"),
    number(line, "data_refueling_gb"),
  );
  return compare(number(line, "data_used_gb"), limit) >= 0;
}

function settlePayment(agent: Database, user: Database): void {
  const request = surroundings(user).get("payment_request");
  if (!(request instanceof Map) || !isOn(request, "paid")) return;
  edit(agent, "bills", request.get("bill_id") ?? null).set("status", "Paid");
  editSurroundings(user).set("payment_request", null);
}

function requestPayment(user: Database, bill: JsonObject): void {
  const request = validate(
    PaymentRequest,
    new Map<string, JsonValue>([
      ["bill_id", bill.get("bill_id") ?? null],
      ["amount_due", bill.get("total_due") ?? null],
    ]),
  );
  editSurroundings(user).set("payment_request", request);
}

/** Sets a field of the user's surroundings. Does nothing if the field already has this value, as it usually does. */
function setSwitch(user: Database, field: string, value: boolean): void {
  if (surroundings(user).get(field) === value) return;
  editSurroundings(user).set(field, value);
}

function number(row: JsonObject, field: string) {
  return asNumber(row.get(field) ?? null);
}
