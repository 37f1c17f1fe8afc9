/** Phrases a retail goal as a prose instruction. */

import type { RetailGoal, RetailRequest } from "../goal/request.ts";
import {
  addressWords,
  orderWords,
  requestWords,
} from "../user/request_words.ts";
import { goalProse } from "../../../generated/goal_prose.ts";

/** Returns the instruction: the user's identity, their requests in order, and what they withhold at first. */
export function instructionOf(goal: RetailGoal): string {
  const { firstName, lastName, zip, email, prefers } = goal.identity;
  const shown = prefers === "email" ? "email" : "name and zip code";
  const who =
    `You are ${firstName} ${lastName}, zip code ${zip}, email ${email}. Asked who you are, you give your ${shown}.`;
  return goalProse(goal, { who, wish });
}

/** Phrases a request in the second person, since the instruction addresses the user. */
function wish(request: RetailRequest): string {
  return wishWords(request).replaceAll(/\bmy\b/g, "your");
}

function wishWords(request: RetailRequest): string {
  const { intent, orderId, profileOf, address } = request;
  const where = address && addressWords(address);
  const unknown = orderId === undefined && request.orderWords !== undefined
    ? ", whose id you do not know"
    : "";
  if (intent === "modify_address" && where !== undefined) {
    return `have ${orderWords(request)}${unknown} go to ${where}`;
  }
  if (profileOf !== undefined && where !== undefined) {
    return `have ${where} in the profile of ${profileOf}, as the default`;
  }
  const words = requestWords({ ...request, forthcoming: true });
  return (intent === "question" ? `know the ${words}` : words) + unknown;
}
