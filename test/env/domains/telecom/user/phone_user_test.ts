import assert from "node:assert/strict";
import type { Move } from "../../../../../env/agents/desk.ts";
import { telecom } from "../../../../../env/domains/telecom/domain.ts";
import { phoneUser } from "../../../../../env/domains/telecom/user/phone_user.ts";
import { TelecomWorld } from "../../../../support/telecom_world.ts";

const INSTRUCTION = [
  "Reason for call:\n\tYour phone has been showing 'No Service'.",
  "Known info:\n\tYou are Ann Lee with phone number 555-1. You are currently abroad in France.",
  "Task instructions:\n\tYou are willing to refuel 2.0 GB of data if necessary. Whether you can send an MMS does not matter.",
].join("\n");

/**
 * Creates a user with a phone. Returns the user's opening, a function that returns their reply to a message, the calls
 * that they have made, and their world.
 */
function conversation(seed = 1) {
  const world = new TelecomWorld(
    telecom.bundle.load({ agent: new Map(), user: new Map() }),
  );
  const user = phoneUser({ task: { id: "t", instruction: INSTRUCTION }, seed });
  const calls: string[] = [];
  const hear = (content: string) => {
    let heard = { source: "user" as const, content, done: false };
    while (true) {
      const { value: move } = user.next(heard as never) as { value: Move };
      if (move.type === "say") return move.content;
      const { name, arguments: args } = move.action;
      calls.push([name, ...args.values()].join(" "));
      const answer = world.call("user", name, args).content;
      heard = { source: "tool" as never, content: answer, done: false };
    }
  };
  return { opening: hear(""), hear, calls, world };
}

Deno.test("phoneUser() opens with the complaint and reveals nothing else", () => {
  for (let seed = 0; seed < 9; seed++) {
    const { opening } = conversation(seed);
    assert.match(opening, /no service/);
    assert.doesNotMatch(opening, /ann|555|france|gb|mms/i);
  }
});

Deno.test("phoneUser() answers only with facts that the user knows", () => {
  const { hear, calls } = conversation();
  assert.equal(
    hear("May I have your full name and phone number?"),
    "my name is Ann Lee. my phone number is 555-1.",
  );
  assert.equal(hear("Are you travelling?"), "i am abroad in France.");
  assert.equal(hear("What is your date of birth?"), "i do not know that.");
  assert.equal(
    hear("How much data would you like to refuel?"),
    "yes, please refuel 2.0 gb.",
  );
  assert.equal(
    hear("Would you like to change your plan?"),
    "i do not want to change my plan.",
  );
  assert.deepEqual(calls, []);
});

Deno.test("phoneUser() toggles a switch only if it is not yet in the requested state", () => {
  const { hear, calls } = conversation();
  assert.equal(
    hear("Please turn mobile data on."),
    "mobile data is on already.",
  );
  assert.match(
    hear("Please turn data roaming on."),
    /^data roaming is now on\. the status bar shows signal excellent, 5g/,
  );
  assert.equal(hear("Is roaming on?").includes("data roaming is on"), true);
  assert.deepEqual(calls, [
    "check_network_status",
    "toggle_roaming",
    "check_network_status",
  ]);
});

Deno.test("phoneUser() reports what the phone shows, in the phone's words", () => {
  const { hear, calls } = conversation();
  assert.equal(
    hear("Please check your status bar, then run a speed test."),
    "the status bar shows signal good, 5g, data enabled. speed test result: 220.00 mbps (excellent). connection is very fast.",
  );
  assert.equal(
    hear("What permissions does the messaging app have?"),
    "app 'messaging' has permission for: sms, storage, phone.",
  );
  assert.equal(
    hear("Please set your network mode."),
    "which network mode should i choose?",
  );
  assert.equal(calls.length, 3);
});

Deno.test("phoneUser() checks that the problem is solved before saying so, and complains once if a step did not help", () => {
  const { hear, world } = conversation();
  hear("Please turn airplane mode on.");
  assert.match(
    hear("Please check your status bar."),
    /help.*the status bar shows airplane mode/,
  );
  assert.match(hear("Please check your status bar."), /^the status bar/);
  assert.match(hear("Is it resolved?"), /^it still does not work/);
  hear("Please turn airplane mode off.");
  assert.match(hear("Anything else?"), /###STOP###$/);
  assert.match(
    world.call("user", "check_status_bar").content,
    /Excellent \| 5G/,
  );
});

Deno.test("phoneUser() pays only requested bills", () => {
  const { hear, calls, world } = conversation();
  assert.match(hear("Please pay your bill."), /no payment request/);
  assert.deepEqual(calls, ["check_payment_request"]);
  world.databases.user.edit("phone", "surroundings")!.set(
    "payment_request",
    new Map<string, string | number | boolean>([
      ["bill_id", "B7"],
      ["amount_due", 65.5],
      ["paid", false],
    ]),
  );
  assert.equal(
    hear("I have sent you a payment request. Please check it and pay it."),
    "you have a payment request for bill B7 of 65.5 usd. payment of 65.5 usd has been made for bill B7.",
  );
});

Deno.test("phoneUser() ends the conversation after a transfer, or if the agent never asks for anything", () => {
  const passedOn = conversation();
  assert.equal(
    passedOn.hear(
      "YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON.",
    ),
    "###TRANSFER###",
  );
  const { hear } = conversation();
  const said = Array.from({ length: 5 }, () => hear("Thank you."));
  assert.match(said[0]!, /\?$/);
  assert.match(said[4]!, /###STOP###/);
});
