/**
 * A scripted user with a phone, who carries out the agent's requests and reports what the phone shows. The user knows
 * their identity, their location and what does not work, but not why it does not work. They pay the bills that the
 * agent asks them to pay, and end the conversation when their problem is solved, when they are transferred, or when
 * they give up.
 */

import type { Script } from "../../../agents/desk.ts";
import type { ActingUserStart } from "../../../domain.ts";
import { createRng } from "../../../random.ts";
import { STOP } from "../../../types.ts";
import { call } from "../../shared/call.ts";
import { type Phraser, phraser } from "../../shared/user/wording.ts";
import { type Heard, hearPhone } from "./phone_hearing.ts";
import { reportOf, switchesShown, switchWords } from "./phone_reports.ts";
import type { PhoneTopic, Switch } from "./phone_topics.ts";
import { type Complaint, readStory, type Story } from "./story.ts";

/** The user's reply to a transfer to a human agent. */
const TRANSFERRED = "###TRANSFER###";

/** The maximum value of {@linkcode Player.lost} before the user gives up. */
const MAX_LOST = 4;

/**
 * Plays the user of a task. Yields messages and tool calls, and is resumed with the agent's replies and the tool
 * results.
 */
export function* phoneUser({ task, seed }: ActingUserStart): Script {
  const story = readStory(task.instruction);
  const say = phraser(createRng(seed, "scripted", task.id), {});
  const one: Player = {
    story,
    say,
    switches: new Map(),
    lost: 0,
    patience: "fresh",
  };
  let words = openingOf(story, say);
  while (true) {
    const { content } = yield { type: "say", content: words };
    words = yield* answer(one, content);
  }
}

/** The state of a user during a conversation. */
interface Player {
  readonly story: Story;
  readonly say: Phraser;
  /** The switch states that the phone has shown so far. */
  readonly switches: Map<Switch, boolean>;
  /** The number of messages without any request or question since the agent's last request. */
  lost: number;
  /**
   * The user's patience. It becomes `tried` after the first action, and `spent` once the user has complained that the
   * action did not help.
   */
  patience: "fresh" | "tried" | "spent";
}

function openingOf({ complaint }: Story, say: Phraser): string {
  return say(OPENINGS[complaint]);
}

const OPENINGS: Readonly<Record<Complaint, readonly string[]>> = {
  service: [
    "hi, my phone has been showing no service for the past few hours.",
    "hello, my phone says no service. can you help?",
    "hi, i have no service on my phone.",
  ],
  data: [
    "hi, my mobile data is not working properly. it stops or is very slow.",
    "hello, my internet is slow or does not work at all. i want it fast again.",
    "hi, the mobile data on my phone is bad. please help me to fix it.",
  ],
  mms: [
    "hi, i can not send mms messages with my messaging app.",
    "hello, sending mms messages has not worked for a few hours.",
    "hi, my picture messages are not sent. i want to send an mms.",
  ],
};

/**
 * Carries out the requests in a message.
 * @returns The user's reply.
 */
function* answer(one: Player, message: string): Script<string> {
  const heard = hearPhone(message);
  if (heard.some(({ kind }) => kind === "transfer")) return TRANSFERRED;
  // A question about further requests is answered only if nothing else is asked.
  const asked = heard.filter(({ kind }) => kind !== "more");
  const said: string[] = [];
  for (const request of asked) said.push(yield* fulfill(one, request));
  if (asked.length > 0) {
    one.lost = 0;
    return said.join(" ");
  }
  if (heard.length > 0) return yield* conclude(one);
  one.lost++;
  if (one.lost > MAX_LOST) return `thank you, i give up. ${STOP}`;
  return one.say([
    "ok. what should i do?",
    "ok. what now?",
    "all right. and now?",
  ]);
}

/**
 * Checks whether the problem is solved. Returns a farewell if it is, and otherwise a message that says what the phone
 * shows.
 */
function* conclude(one: Player): Script<string> {
  const { complaint } = one.story;
  const shown = yield* use(one, PROOFS[complaint].tool);
  if (PROOFS[complaint].works(shown)) {
    return `${
      one.say(["great, it works now.", "thank you, it works."])
    } ${STOP}`;
  }
  return `it still does not work. ${reportOf(PROOFS[complaint].tool, shown)}`;
}

/** For each complaint, the tool that shows whether it is resolved, and a function that checks the tool's result. */
const PROOFS: Readonly<
  Record<
    Complaint,
    { readonly tool: string; works(shown: string): boolean }
  >
> = {
  service: {
    tool: "check_status_bar",
    works: (shown) =>
      !shown.includes("No Signal") && !shown.includes("Airplane Mode"),
  },
  data: {
    tool: "run_speed_test",
    works: (shown) => shown.includes("(Excellent)"),
  },
  mms: { tool: "can_send_mms", works: (shown) => shown.includes(" can send ") },
};

/**
 * Returns a complaint if the tool in {@linkcode PROOFS} shows for the first time that the user's first action has not
 * helped. Returns an empty string otherwise.
 */
function complain(one: Player, tool: string, shown: string): string {
  const proof = PROOFS[one.story.complaint];
  if (one.patience !== "tried" || tool !== proof.tool || proof.works(shown)) {
    return "";
  }
  one.patience = "spent";
  return one.say(["hm, that did not help. ", "that has not helped so far. "]);
}

/**
 * Carries out a request or answers a question.
 * @returns The user's reply.
 */
function* fulfill(one: Player, request: Heard): Script<string> {
  switch (request.kind) {
    case "check":
      return yield* check(one, request);
    case "turn":
      return yield* turn(one, request.topic, request.on);
    case "flip":
      return yield* report(one, TOGGLES[request.topic]);
    case "mode":
      return request.mode === undefined
        ? "which network mode should i choose?"
        : yield* report(one, "set_network_mode_preference", {
          mode: request.mode,
        });
    case "grant":
      return yield* grant(one, request);
    case "do":
      return request.topic === "payment"
        ? yield* pay(one)
        : yield* report(one, ACTIONS[request.topic]);
    case "answer":
      return answerWords(one.story, request.topic);
    default:
      return one.say(["yes.", "yes, please.", "yes, go ahead."]);
  }
}

/** The tool with which the user checks each topic. */
const CHECKS: Readonly<Record<PhoneTopic, string>> = {
  airplane: "check_network_status",
  data: "check_network_status",
  roaming: "check_network_status",
  network: "check_network_status",
  saver: "check_data_restriction_status",
  wifi: "check_wifi_status",
  calling: "check_wifi_calling_status",
  vpn: "check_vpn_status",
  bar: "check_status_bar",
  mode: "check_network_mode_preference",
  sim: "check_sim_status",
  apn: "check_apn_settings",
  apps: "check_installed_apps",
  status: "check_app_status",
  permissions: "check_app_permissions",
  speed: "run_speed_test",
  mms: "can_send_mms",
  payment: "check_payment_request",
  reboot: "check_status_bar",
};

/** The tool that toggles each switch. The VPN has no toggle, so its tool only connects it. */
const TOGGLES: Readonly<Record<Switch, string>> = {
  airplane: "toggle_airplane_mode",
  data: "toggle_data",
  roaming: "toggle_roaming",
  saver: "toggle_data_saver_mode",
  wifi: "toggle_wifi",
  calling: "toggle_wifi_calling",
  vpn: "connect_vpn",
};

const ACTIONS = {
  sim: "reseat_sim_card",
  apn: "reset_apn_settings",
  reboot: "reboot_device",
} as const;

function* check(
  one: Player,
  { topic, app }: Heard & { kind: "check" },
): Script<string> {
  const tool = CHECKS[topic];
  return yield* report(one, tool, app === undefined ? {} : { app_name: app });
}

/**
 * Turns a switch on or off, unless it is already in the wanted state. Checks the switch's state first if it is unknown,
 * because every switch except the VPN can only be toggled.
 */
function* turn(
  one: Player,
  name: Switch,
  shouldBeOn: boolean,
): Script<string> {
  if (name === "vpn") {
    return yield* report(one, shouldBeOn ? "connect_vpn" : "disconnect_vpn");
  }
  if (!one.switches.has(name)) yield* use(one, CHECKS[name]);
  if (one.switches.get(name) === shouldBeOn) {
    return `${switchWords(name, shouldBeOn)} already.`;
  }
  return yield* report(one, TOGGLES[name]);
}

function* grant(
  one: Player,
  { app, permissions }: Heard & { kind: "grant" },
): Script<string> {
  if (permissions.length === 0) return "which permission should i grant?";
  const said: string[] = [];
  for (const permission of permissions) {
    yield* use(one, "grant_app_permission", { app_name: app, permission });
    said.push(`i gave the ${app} app the ${permission} permission.`);
  }
  return said.join(" ");
}

/**
 * Checks for a payment request from the agent and, if there is one, pays the bill.
 * @returns The user's reply.
 */
function* pay(one: Player): Script<string> {
  const shown = yield* use(one, "check_payment_request");
  if (!shown.startsWith("You have")) {
    return `i will pay. ${reportOf("check_payment_request", shown)}`;
  }
  return yield* report(one, "make_payment");
}

/**
 * Uses a tool of the phone.
 * @returns The user's description of the tool result. It begins with a complaint if the tool shows for the first time
 * that the user's first action has not helped.
 */
function* report(
  one: Player,
  tool: string,
  fields: Readonly<Record<string, string>> = {},
): Script<string> {
  const shown = yield* use(one, tool, fields);
  return complain(one, tool, shown) + reportOf(tool, shown);
}

/** Uses a tool of the phone, and records the switch states that its result shows. */
function* use(
  one: Player,
  tool: string,
  fields: Readonly<Record<string, string>> = {},
): Script<string> {
  const { content } = yield {
    type: "call",
    action: call(tool, fields),
    content: "",
  };
  for (const [name, isOn] of switchesShown(content)) {
    one.switches.set(name, isOn);
  }
  if (one.patience === "fresh" && !READS.test(tool)) one.patience = "tried";
  return content;
}

const READS = /^(check|run|can)_/;

type Question = (Heard & { kind: "answer" })["topic"];

function answerWords(story: Story, topic: Question): string {
  const { name, phone, place, refuelGb } = story;
  switch (topic) {
    case "name":
      return name === undefined ? DO_NOT_KNOW : `my name is ${name}.`;
    case "number":
      return phone === undefined ? DO_NOT_KNOW : `my phone number is ${phone}.`;
    case "place":
      return place === undefined
        ? "i am not sure about that."
        : `i am ${place}.`;
    case "refuel":
      return refuelGb === undefined
        ? "i do not want to buy more data."
        : `yes, please refuel ${refuelGb} gb.`;
    case "plan":
      return "i do not want to change my plan.";
    default:
      return DO_NOT_KNOW;
  }
}

const DO_NOT_KNOW = "i do not know that.";
