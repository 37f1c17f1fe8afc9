/**
 * Writes the instructions for the users of composed tasks. Both a model and the scripted user can interpret the
 * sentences.
 */

import type { Complaint } from "../user/story.ts";
import type { Caller } from "./draw_accounts.ts";

/** The reason for the call, for each complaint. */
export const REASONS: Readonly<Record<Complaint, string>> = {
  service:
    "Your phone has shown 'No Service' since this morning. You want to call and be called again.",
  data:
    "The mobile data of your phone is gone, or far too slow. You want it back at excellent speed, and nothing less will do. There is no Wi-Fi where you are.",
  mms:
    "Your messaging app does not send MMS messages any more. You want to send one.",
};

/** The condition under which a user is satisfied, for each complaint. */
const CONTENT: Readonly<Record<Complaint, string>> = {
  service: "the status bar of your phone shows a signal",
  data: "a speed test says that your internet speed is excellent",
  mms: "your phone says that it can send MMS messages",
};

/** The description of each persona, keyed by its name in task files. */
export const PERSONAS: Readonly<Record<string, string | null>> = {
  None: null,
  Easy:
    "You run a small bakery and use your phone all day. You know its settings a little, answer what you are asked, and like to be told one step after the other.",
  Hard:
    "You are a grandparent who would rather not touch the settings of a phone. You answer only what you are asked, worry aloud that something might be lost, and want to be told that all is well.",
};

/** Returns the sentences that state the user's identity and location. */
export function knownInfo({ name, phone }: Caller, place: string): string {
  return `You are ${name} with phone number ${phone}. You are currently ${place}.`;
}

/** Returns the sentences that state what the user is willing to do, and when they are satisfied. */
export function taskInstructions(
  complaint: Complaint,
  refuelGb: number,
): string {
  const data = refuelGb === 0
    ? "You do not want to buy more data, and you keep your plan."
    : `You are willing to refuel ${
      refuelGb.toFixed(1)
    } GB of data if that helps, and you keep your plan.`;
  return [
    "You do on your phone what the agent asks for, and say what it shows. You never make up what it shows.",
    data,
    "You pay a bill that you are asked to pay.",
    `You are content only when ${CONTENT[complaint]}.`,
    "Where something was tried and did not help, you say so once, and go on.",
  ].join(" ");
}

/** Returns the support ticket that describes the call. */
export function ticketOf(
  { complaint, place, refuelGb }: {
    readonly complaint: Complaint;
    readonly place: string;
    readonly refuelGb: number;
  },
  { name, phone }: Caller,
): string {
  const data = refuelGb === 0
    ? "Buys no further data"
    : `Would refuel up to ${refuelGb.toFixed(1)} GB of data`;
  return `${
    TICKETS[complaint]
  } Customer: ${name}, phone number ${phone}, currently ${place}. ${data}, keeps the plan, pays overdue bills. Done when ${
    CONTENT[complaint].replace("your phone", "the phone").replace(
      "your internet",
      "the internet",
    )
  }.`;
}

const TICKETS: Readonly<Record<Complaint, string>> = {
  service: "A phone shows no service.",
  data: "Mobile data does not work, or is slow.",
  mms: "The messaging app sends no MMS messages.",
};
