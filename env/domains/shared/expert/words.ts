/**
 * The expert's sentences that all domains share. There is only one sentence per purpose, because models learn to
 * imitate them.
 */

import { isProse } from "../goal/bench_goal.ts";
import type { Request } from "../goal/goal.ts";

/** The question that asks whether the user wants anything else. */
export const MORE = "anything else?";

/** Returns the message that answers a question; it repeats the words of a question of a fixed form. */
export function answerWords(
  { request, outputs }: { request: Request; outputs: readonly string[] },
): string {
  const answer = outputs.join(", ");
  const asked = request.question ?? "";
  return asked !== "" && !isProse(request)
    ? `the ${asked.replaceAll(/\bmy\b/g, "your")} is ${answer}. ${MORE}`
    : `here is what you asked for: ${answer}. ${MORE}`;
}
