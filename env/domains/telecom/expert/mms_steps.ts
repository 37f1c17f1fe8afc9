/**
 * The policy's troubleshooting steps for picture messages. They check service, mobile data and the network, and then
 * other causes.
 */

import type { Script } from "../../../agents/desk.ts";
import { connectData, newestNetwork } from "./data_steps.ts";
import { resetApn, restoreService } from "./service_steps.ts";
import { type Case, Transfer } from "./telecom_case.ts";

const TRY = "please check whether you can send an mms.";

/**
 * Performs troubleshooting steps until the user can send picture messages.
 * @returns The transfer to a human agent, if one is necessary.
 */
export function* restoreMms(one: Case): Script<Transfer | undefined> {
  for (
    const step of [
      first,
      restoreService,
      carryData,
      newestNetwork,
      callingOff,
      permit,
      setMmsc,
    ]
  ) {
    const done = yield* step(one);
    if (done instanceof Transfer) return done;
    if (done === false) continue;
    if (works(yield* one.ask(TRY))) return undefined;
  }
  return new Transfer("mms do not work, and no reason was found");
}

// deno-lint-ignore require-yield
function* first(_: Case): Script<true> {
  return true;
}

function works(reply: string): boolean {
  return reply.includes("can send") && !reply.includes("cannot send");
}

/**
 * Performs troubleshooting steps until mobile data works, however slowly.
 * @returns `false` if mobile data already worked, `true` if the steps fixed it, or the transfer to a human agent.
 */
function* carryData(one: Case): Script<boolean | Transfer> {
  const speed = yield* one.ask("please run a speed test.");
  if (!speed.includes("no connection")) return false;
  return (yield* connectData(one)) ?? true;
}

function* callingOff(one: Case): Script<boolean> {
  yield* one.ask("please check your wi-fi calling.");
  if (one.switches.get("calling") !== true) return false;
  yield* one.ask("please turn wi-fi calling off.");
  return true;
}

function* permit(one: Case): Script<boolean> {
  const granted = yield* one.ask(
    "please check the permissions of the messaging app.",
  );
  const missing = ["sms", "storage"].filter((name) => !granted.includes(name));
  if (missing.length === 0) return false;
  yield* one.ask(
    missing.length === 1
      ? `please grant the messaging app the ${missing[0]} permission.`
      : "please grant the messaging app the sms and storage permissions.",
  );
  return true;
}

function* setMmsc(one: Case): Script<boolean> {
  const settings = yield* one.ask("please check your apn settings.");
  if (!settings.includes("not set")) return false;
  yield* resetApn(one);
  return true;
}
