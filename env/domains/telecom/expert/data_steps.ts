/**
 * The policy's troubleshooting steps for mobile data. They check service, roaming, the mobile data switch and the
 * remaining data, and then the speed.
 */

import type { Script } from "../../../agents/desk.ts";
import { toFloat } from "../../../python/python_number.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { call } from "../../shared/call.ts";
import { numberIn } from "../../shared/read_row.ts";
import { restoreService } from "./service_steps.ts";
import { type Case, look, lookUp, Transfer } from "./telecom_case.ts";

const TEST = "please run a speed test.";

/** The maximum amount of data that the policy lets a user buy, in GB. */
const MAX_GB = 2;

/**
 * Performs troubleshooting steps until mobile data works at full speed.
 * @returns The transfer to a human agent, if one is necessary.
 */
export function* speedUp(one: Case): Script<Transfer | undefined> {
  let speed = yield* one.ask(TEST);
  if (isDown(speed)) {
    const stuck = yield* connectData(one);
    if (stuck !== undefined) return stuck;
    speed = one.desk.last;
  }
  for (const step of [saverOff, newestNetwork, vpnOff]) {
    if (speed.includes("excellent")) return undefined;
    if (yield* step(one)) speed = yield* one.ask(TEST);
  }
  return speed.includes("excellent")
    ? undefined
    : new Transfer("mobile data is slow, and no reason was found");
}

/**
 * After a failed speed test, performs troubleshooting steps until mobile data works, however slowly.
 * @returns The transfer to a human agent, if one is necessary.
 */
export function* connectData(one: Case): Script<Transfer | undefined> {
  const stuck = yield* restoreService(one);
  if (stuck !== undefined) return stuck;
  for (const step of [first, roam, switchOn, refuel]) {
    const done = yield* step(one);
    if (done instanceof Transfer) return done;
    if (done && !isDown(yield* one.ask(TEST))) return undefined;
  }
  return new Transfer("there is no mobile data, and no reason was found");
}

/**
 * A troubleshooting step. It returns whether mobile data has to be tested again, or a transfer to a human agent if one
 * is necessary.
 */
type Step = Script<boolean | Transfer>;

// deno-lint-ignore require-yield
function* first(_: Case): Step {
  return true;
}

/** Enables roaming on the phone and on the line if the user is abroad. */
function* roam(one: Case): Step {
  const place = yield* one.ask("are you abroad?");
  if (!place.includes("abroad")) return false;
  let hasChanged = false;
  if ((yield* stateOf(one, "roaming")) !== true) {
    yield* one.ask("please turn data roaming on.");
    hasChanged = true;
  }
  if (one.line.get("roaming_enabled") !== true) {
    yield* one.desk.call(call("enable_roaming", one.owned));
    hasChanged = true;
  }
  return hasChanged;
}

function* switchOn(one: Case): Step {
  if ((yield* stateOf(one, "data")) === true) return false;
  yield* one.ask("please turn mobile data on.");
  return true;
}

/**
 * Returns the state of a switch. If the state is unknown, asks the user to check the network status first, and returns
 * `undefined` if the reply does not contain the state.
 */
function* stateOf(
  one: Case,
  name: "roaming" | "data",
): Script<boolean | undefined> {
  if (!one.switches.has(name)) {
    yield* one.ask("please check your network status.");
  }
  return one.switches.get(name);
}

/**
 * Sells the user more data if they have used up all of it. Returns a transfer if the user does not buy an amount that
 * the policy allows.
 */
function* refuel(one: Case): Step {
  const { desk } = one;
  const usage = yield* look(desk, "get_data_usage", one.owned);
  if (!(usage instanceof Map) || !isUsedUp(usage)) return false;
  const answer = yield* one.ask(
    "you have used all your data. how much data do you want to refuel?",
  );
  const amount = gigabytesIn(answer);
  if (amount === undefined || amount > MAX_GB) {
    return new Transfer("all data is used, and the user buys no more");
  }
  const plan = yield* lookUp(desk, String(one.line.get("plan_id")));
  const price = numberIn(plan, "data_refueling_price_per_gb");
  return yield* sell(one, { amount, price });
}

function* sell(
  one: Case,
  { amount, price }: { readonly amount: number; readonly price: number },
): Step {
  const cost = (amount * price).toFixed(2);
  const answer = yield* one.ask(
    `${amount} gb cost $${cost}. do you want me to refuel it?`,
  );
  if (!answer.includes("yes")) {
    return new Transfer("all data is used, and the user buys no more");
  }
  yield* one.desk.call(
    call("refuel_data", { ...one.owned, gb_amount: toFloat(amount) }),
  );
  return true;
}

/** Checks whether all data of a line is used up. The fields of `usage` are strings, as in the original. */
function isUsedUp(usage: JsonObject): boolean {
  const [used, limit, refueled] = [
    "data_used_gb",
    "data_limit_gb",
    "data_refueling_gb",
  ].map((field) => Number(usage.get(field)));
  return used! >= limit! + refueled!;
}

/** Returns the first positive number in a user's answer, or `undefined` if there is none. */
function gigabytesIn(answer: string): number | undefined {
  const word = answer.split(" ").find((one) => Number(one) > 0);
  return word === undefined ? undefined : Number(word);
}

function* saverOff(one: Case): Script<boolean> {
  yield* one.ask("please check your data saver.");
  if (one.switches.get("saver") !== true) return false;
  yield* one.ask("please turn data saver off.");
  return true;
}

/**
 * Asks the user to set the phone to prefer the newest networks if it is restricted to 2G or 3G.
 * @returns Whether the user was asked to change the preference.
 */
export function* newestNetwork(one: Case): Script<boolean> {
  const mode = yield* one.ask("please check your network mode preference.");
  if (!mode.includes("2g") && !mode.includes("3g")) return false;
  yield* one.ask("please set your network mode to 4g_5g_preferred.");
  return true;
}

function* vpnOff(one: Case): Script<boolean> {
  yield* one.ask("please check your vpn.");
  if (one.switches.get("vpn") !== true) return false;
  yield* one.ask("please disconnect your vpn.");
  return true;
}

function isDown(speed: string): boolean {
  return speed.includes("no connection");
}
