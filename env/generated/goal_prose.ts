/** Phrases a user's goal as an instruction in prose, for models that play the user. */

import type { Goal, Request } from "../domains/shared/goal/goal.ts";
import { TEMPERS } from "../users/voice.ts";

/** The parts of an instruction that a domain supplies. */
export interface ProseParts<R extends Request> {
  /** The user's identity, in complete sentences. */
  readonly who: string;
  /** Phrases a request, to follow "you want to". */
  wish(request: R): string;
}

/**
 * Returns an instruction that states the user's identity, the requests in order, whether the user gives details only
 * when asked, and the user's temper.
 */
export function goalProse<R extends Request>(
  goal: Goal<R>,
  { who, wish }: ProseParts<R>,
): string {
  const wants = goal.requests.map((request, i) => {
    const now = { ...request, ...request.before };
    return `${startOf(request, i)} ${wish(now)}.${rethought(request, wish)}`;
  });
  const kept = goal.requests.some((request) => request.forthcoming === false)
    ? " You give details only when you are asked for them."
    : "";
  return `${who} ${wants.join(" ")}${kept}${TEMPERS[goal.voice ?? "plain"]}`;
}

function startOf({ fallback, before }: Request, index: number): string {
  if (fallback === true) return "If that is refused, you want to";
  const start = index === 0 ? "You" : "When that is settled, you";
  return `${start} ${before === undefined ? "" : "first "}want to`;
}

/**
 * Returns a sentence with the final version of a request if the user first states another version; otherwise an empty
 * string.
 */
function rethought<R extends Request>(
  request: R,
  wish: ProseParts<R>["wish"],
): string {
  return request.before === undefined
    ? ""
    : ` Once that is read back to you, you change your mind, and want to ${
      wish(request)
    }.`;
}
