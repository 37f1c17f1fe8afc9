/**
 * The policy's troubleshooting steps for cellular service. They check airplane mode, the SIM card, the APN settings and
 * whether the line is suspended.
 */

import type { Script } from "../../../agents/desk.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { call } from "../../shared/call.ts";
import { type Case, look, lookUp, Transfer } from "./telecom_case.ts";

/** The current date according to the policy. */
const TODAY = "2025-02-25";

/**
 * Performs troubleshooting steps until cellular service works, unless it already works.
 * @returns The transfer to a human agent, if one is necessary.
 */
export function* restoreService(one: Case): Script<Transfer | undefined> {
  if (hasService(yield* one.ask("please check your status bar."))) return;
  yield* one.ask("please check your network status.");
  if (one.switches.get("airplane") === true) {
    if (hasService(yield* one.ask("please turn airplane mode off."))) return;
  }
  const sim = yield* fixSim(one);
  if (sim === "works" || sim instanceof Transfer) {
    return sim === "works" ? undefined : sim;
  }
  const settings = yield* one.ask("please check your apn settings.");
  if (settings.includes("broken") && hasService(yield* resetApn(one))) return;
  return yield* liftSuspension(one);
}

/** Checks whether the status bar shows service, according to the last report in the user's reply. */
export function hasService(reply: string): boolean {
  const shows = reply.lastIndexOf("status bar shows");
  const bar = reply.slice(shows);
  return shows >= 0 && !bar.includes("no signal") &&
    !bar.includes("airplane mode");
}

/** Asks the user to reset the APN settings, and to restart the phone so that they take effect. */
export function resetApn(one: Case): Script<string> {
  return one.ask("please reset your apn settings and then reboot your phone.");
}

function* fixSim(one: Case): Script<"works" | "other" | Transfer> {
  let sim = yield* one.ask("please check your sim card.");
  if (sim.includes("no sim card")) {
    if (hasService(yield* one.ask("please reseat your sim card."))) {
      return "works";
    }
    sim = yield* one.ask("please check your sim card.");
  }
  return sim.includes("locked")
    ? new Transfer("the sim card is locked")
    : "other";
}

/**
 * Lifts the line's suspension if its contract has not ended, after asking the user to pay all overdue bills. Returns a
 * transfer if the line is not suspended, if the suspension cannot be lifted, or if service does not return.
 */
function* liftSuspension(one: Case): Script<Transfer | undefined> {
  const { desk } = one;
  if (one.line.get("status") !== "Suspended") {
    return new Transfer("there is no service, and no reason was found");
  }
  const contractEnd = one.line.get("contract_end_date");
  if (typeof contractEnd === "string" && contractEnd < TODAY) {
    return new Transfer("the line is suspended, and its contract has ended");
  }
  const unpaid = yield* payOverdueBills(one);
  if (unpaid !== undefined) return unpaid;
  yield* desk.call(call("resume_line", one.owned));
  const reply = yield* one.ask(
    "your line is active again. please reboot your phone.",
  );
  return hasService(reply)
    ? undefined
    : new Transfer("there is no service after the line was resumed");
}

function* payOverdueBills(one: Case): Script<Transfer | undefined> {
  const { desk, customerId } = one;
  const bills = yield* look(desk, "get_bills_for_customer", {
    customer_id: customerId,
  });
  const overdue = Array.isArray(bills)
    ? bills.filter((bill): bill is JsonObject =>
      bill instanceof Map && bill.get("status") === "Overdue"
    )
    : [];
  for (const bill of overdue) {
    const id = String(bill.get("bill_id"));
    yield* desk.call(
      call("send_payment_request", { customer_id: customerId, bill_id: id }),
    );
    yield* one.ask(
      `bill ${id} is overdue. i have sent you a payment request. please check it and pay it.`,
    );
    const paid = yield* lookUp(desk, id);
    if (paid?.get("status") !== "Paid") {
      return new Transfer("an overdue bill is not paid");
    }
  }
  return undefined;
}
