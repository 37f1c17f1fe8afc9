/**
 * The expert for the telecom domain. It finds the user's account and line, follows the policy's troubleshooting steps,
 * and transfers the user if it cannot fix the problem. It infers the cause of the problem only from what the user says
 * and the tools show.
 */

import type { Desk, Script } from "../../../agents/desk.ts";
import type { ExpertStart } from "../../../domain.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { call } from "../../shared/call.ts";
import { MAX_ASKS } from "../../shared/expert/moves.ts";
import { MORE } from "../../shared/expert/words.ts";
import { texts } from "../../shared/read_row.ts";
import { speedUp } from "./data_steps.ts";
import { restoreMms } from "./mms_steps.ts";
import { restoreService } from "./service_steps.ts";
import { Case, look, lookUp, Transfer } from "./telecom_case.ts";

/** The message that the policy requires after the call that transfers a user. */
const HOLD = "YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON.";

/** Handles the conversation with the user of a task. */
export function* serveTelecom({ desk }: Pick<ExpertStart, "desk">): Script {
  const solve = stepsFor(desk);
  const one = yield* identify(desk);
  if (one instanceof Transfer) return yield* transfer(desk, one);
  for (let tries = 0; tries < MAX_ASKS; tries++) {
    const stuck = yield* solve(one);
    if (stuck !== undefined) return yield* transfer(desk, stuck);
    const reply = yield* one.ask(`it should work now. ${MORE}`);
    if (!reply.includes("still")) return;
  }
  yield* transfer(desk, new Transfer("it does not work"));
}

/** Returns the policy's troubleshooting steps for the user's complaint. */
function stepsFor(desk: Desk): (one: Case) => Script<Transfer | undefined> {
  if (desk.everHeard("mms") || desk.everHeard("picture message")) {
    return restoreMms;
  }
  return desk.everHeard("no service") ? restoreService : speedUp;
}

function* transfer(desk: Desk, { reason }: Transfer): Script {
  yield* desk.call(call("transfer_to_human_agents", { summary: reason }));
  yield* desk.say(HOLD);
}

/**
 * Asks the user for their name and phone number, and finds the account and the line with this number. Returns a
 * transfer if all attempts fail.
 */
function* identify(desk: Desk): Script<Case | Transfer> {
  for (let asks = 0; asks < MAX_ASKS; asks++) {
    const reply = yield* desk.say(
      "please tell me your full name and phone number.",
    );
    const phone = PHONE.exec(reply)?.[0];
    if (phone === undefined) continue;
    const customer = yield* look(desk, "get_customer_by_phone", {
      phone_number: phone,
    });
    const line = customer instanceof Map
      ? yield* lineOf(desk, customer, phone)
      : undefined;
    if (!(customer instanceof Map) || line === undefined) continue;
    const customerId = String(customer.get("customer_id"));
    return new Case(desk, { customerId, line });
  }
  return new Transfer("the user could not be identified");
}

const PHONE = /\d{3}-\d{3}-\d{4}/;

function* lineOf(
  desk: Desk,
  customer: JsonObject,
  phone: string,
): Script<JsonObject | undefined> {
  for (const id of texts(customer, "line_ids")) {
    const line = yield* lookUp(desk, id);
    if (line?.get("phone_number") === phone) return line;
  }
  return undefined;
}
