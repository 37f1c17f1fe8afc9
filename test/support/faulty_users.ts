/**
 * Creates simulated users with one known fault. They act like the scripted user, except in one message or at the end of
 * the conversation.
 */

import type { RetailGoal } from "../../env/domains/retail/goal/request.ts";
import { createRng, type Rng } from "../../env/random.ts";
import {
  STOP,
  type Task,
  type UserFactory,
  type UserFault,
} from "../../env/types.ts";

/** A set of wordings for the faults: the set for tuning the detectors, or the held-out set. */
export type Wording = "tuned" | "held_out";

const WORDS: Record<Wording, {
  invention: readonly string[];
  farewell: readonly string[];
  chat: readonly string[];
  opening: readonly string[];
  harmless: readonly string[];
}> = {
  tuned: {
    invention: [
      "Actually the order is #W0000017, please look.",
      "You can also find me by someone.else88@example.org.",
      "Take the card credit_card_1234567 instead.",
    ],
    farewell: [STOP, `Thanks, that is all. ${STOP}`],
    chat: ["ok.", "thank you so much!", "have a nice day.", "great."],
    opening: ["Hello! I need: ", "Hi, everything at once: "],
    harmless: ["Thanks for checking. ", "Sure, one moment. "],
  },
  held_out: {
    invention: [
      "Hmm, wait, I think it was order #W9990001 that I meant.",
      "oh and my other address is jamie_o@post.invalid if it helps",
      "My zip there was 99951, I believe.",
      "Please use gift_card_7654321 for it, thanks!",
    ],
    farewell: [
      STOP,
      `Never mind, I have to run. ${STOP}`,
      `Perfect, thanks for your help today! ${STOP}`,
    ],
    chat: [
      "You've been wonderful, really.",
      "Okay then, cheers!",
      "I appreciate it a lot.",
      "Enjoy the rest of your week :)",
      "Alright.",
    ],
    opening: [
      "Good evening. Let me give you the whole story right away: ",
      "hey so here is all of it. ",
      "I'd like several things sorted: ",
    ],
    harmless: [
      "Sorry, I was away for a second. ",
      "You said that, right? Fine. ",
      "Okay, thank you for being patient. ",
    ],
  },
};

/** Returns the goal of a retail task. */
function goalOf({ goal }: Task): RetailGoal | undefined {
  return goal as RetailGoal | undefined;
}

/** Checks whether a fault is possible for the user of a task. */
export function canHave(fault: UserFault, task: Task): boolean {
  const goal = goalOf(task);
  if (goal === undefined) return false;
  const needsWrite = goal.requests.some(({ intent, refused }) =>
    intent !== "question" && refused !== true
  );
  return fault === "leak" ? goal.requests.length > 1 : needsWrite;
}

/**
 * Creates a factory of users with one fault. If `fault` is `null`, the users add a harmless remark to one reply but
 * make no mistake.
 */
export function faultyUser(
  scripted: UserFactory,
  { fault, wording }: { fault: UserFault | null; wording: Wording },
): UserFactory {
  return (task, options) => {
    const user = scripted(task, options);
    const rng = createRng(options.seed, "faulty", fault ?? "none");
    const words = WORDS[wording];
    const moment = rng.int(2);
    let replies = 0;
    let hasErred = false;
    return {
      async open() {
        const opening = await user.open();
        return fault === "leak"
          ? rng.pick(words.opening) + everything(task, rng)
          : opening;
      },
      async reply(message) {
        const reply = await user.reply(message);
        const turn = replies++;
        if (fault === "endless") {
          if (!reply.includes(STOP) && !hasErred) return reply;
          hasErred = true;
          // Never repeats itself, since that would count as an echo.
          return words.chat[(turn + moment) % words.chat.length] ?? "";
        }
        if (hasErred || turn < moment && !reply.includes(STOP)) return reply;
        hasErred = true;
        switch (fault) {
          case "invention":
            return `${rng.pick(words.invention)} ${reply}`;
          case "early_stop":
            return turn < 2 ? rng.pick(words.farewell) : reply;
          case "echo":
            return rng.pick([message, `So: ${message}`, task.instruction]);
          case null:
            return rng.pick(words.harmless) + reply;
          default:
            return reply;
        }
      },
    };
  };
}

/** Returns a message with the details of all requests, as an impatient user would write it. */
function everything(task: Task, rng: Rng): string {
  return (goalOf(task)?.requests ?? []).map((request) => {
    const { orderId, orderWords, items = [], newItems = [] } = request;
    const { reason, payment, address, question } = request;
    const parts = [
      rng.pick(["about", "for", "with"]),
      orderId ?? orderWords ?? "my account",
      items.join(" and "),
      newItems.length > 0 ? `to become ${newItems.join(" and ")}` : "",
      reason === undefined ? "" : `because ${reason}`,
      payment === undefined ? "" : `using ${payment}`,
      address === undefined ? "" : `to ${address.address1}, ${address.city}`,
      question ?? "",
    ];
    return parts.filter((part) => part !== "").join(" ");
  }).join("; also ") + ".";
}
