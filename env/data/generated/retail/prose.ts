/**
 * A goal as an instruction in prose, for users who are told what to play.
 *
 * @module
 */

import type { Goal, Request } from "../../../types.ts";
import { requestWords } from "../../../users/_wording.ts";

/** Who the customer is, what they want in which order, and what they keep back. */
export function instructionOf(goal: Goal): string {
  const { firstName, lastName, zip, email, prefers } = goal.identity;
  const who =
    `You are ${firstName} ${lastName}, zip code ${zip}, email ${email}.`;
  const shown = prefers === "email" ? "email" : "name and zip code";
  const wants = goal.requests.map((request, i) => {
    const start = i === 0 ? "You want to" : "When that is settled, you want to";
    return `${start} ${wish(request)}.`;
  });
  const kept = goal.requests.some((request) => request.forthcoming === false)
    ? " You give details only when you are asked for them."
    : "";
  return `${who} Asked who you are, you give your ${shown}. ${
    wants.join(" ")
  }${kept}`;
}

function wish(request: Request): string {
  const words = requestWords({ ...request, forthcoming: true })
    .replaceAll(/\bmy\b/g, "your");
  const known = request.orderId !== undefined ||
      request.orderWords === undefined
    ? ""
    : ", whose id you do not know";
  return (request.intent === "question" ? `know the ${words}` : words) + known;
}
