/**
 * A goal as an instruction in prose, for users who are told what to play.
 *
 * @module
 */

import type { Goal, Request } from "../../../types.ts";
import { TEMPERS } from "../../../users/_voice.ts";
import { requestWords } from "../../../users/_wording.ts";

/** Who the customer is, what they want in which order, and what they keep back. */
export function instructionOf(goal: Goal): string {
  const { firstName, lastName, zip, email, prefers } = goal.identity;
  const who =
    `You are ${firstName} ${lastName}, zip code ${zip}, email ${email}.`;
  const shown = prefers === "email" ? "email" : "name and zip code";
  const wants = goal.requests.map((request, i) => {
    return `${startOf(request, i)} ${wish(request)}.${rethought(request)}`;
  });
  const kept = goal.requests.some((request) => request.forthcoming === false)
    ? " You give details only when you are asked for them."
    : "";
  return `${who} Asked who you are, you give your ${shown}. ${
    wants.join(" ")
  }${kept}${TEMPERS[goal.voice ?? "plain"]}`;
}

function startOf({ fallback, before }: Request, index: number): string {
  if (fallback === true) return "If that is refused, you want to";
  const start = index === 0 ? "You" : "When that is settled, you";
  return `${start} ${before === undefined ? "" : "first "}want to`;
}

/** What is wanted in the end, where that is something else. */
function rethought(request: Request): string {
  return request.before === undefined
    ? ""
    : ` Once that is read back to you, you change your mind, and want to ${
      wish(settled(request))
    }.`;
}

function settled({ before: _, ...request }: Request): Request {
  return request;
}

function wish(request: Request): string {
  const now = { ...request, ...request.before };
  const words = requestWords({ ...now, forthcoming: true })
    .replaceAll(/\bmy\b/g, "your");
  const known = request.orderId !== undefined ||
      request.orderWords === undefined
    ? ""
    : ", whose id you do not know";
  return (request.intent === "question" ? `know the ${words}` : words) + known;
}
