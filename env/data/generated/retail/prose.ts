/**
 * A retail goal as an instruction in prose.
 *
 * @module
 */

import type { Goal, Request } from "../../../types.ts";
import { addressWords, requestWords } from "../../../users/_wording.ts";
import { goalProse } from "../goal_prose.ts";

/** Who the customer is, what they want in which order, and what they keep back. */
export function instructionOf(goal: Goal): string {
  const { firstName, lastName, zip, email, prefers } = goal.identity;
  const shown = prefers === "email" ? "email" : "name and zip code";
  const who =
    `You are ${firstName} ${lastName}, zip code ${zip}, email ${email}. Asked who you are, you give your ${shown}.`;
  return goalProse(goal, { who, wish });
}

function wish(request: Request): string {
  const { profileOf, address } = request;
  // Not as customers say it: who recites the instruction is told by it.
  if (profileOf !== undefined && address !== undefined) {
    return `have ${
      addressWords(address)
    } in the profile of ${profileOf}, as the default`;
  }
  const words = requestWords({ ...request, forthcoming: true })
    .replaceAll(/\bmy\b/g, "your");
  const known = request.orderId !== undefined ||
      request.orderWords === undefined
    ? ""
    : ", whose id you do not know";
  return (request.intent === "question" ? `know the ${words}` : words) + known;
}
