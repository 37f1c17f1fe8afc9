/** Sentences of the expert that every desk has. It has one for each purpose: what it says is there to be imitated. */

import { isProse } from "../goal/bench_goal.ts";
import type { Request } from "../goal/goal.ts";

/** Whether there is anything else. */
export const MORE = "anything else?";

/** The answer to a question: its own words, then what was asked for. */
export function answerWords(
  { request, outputs }: { request: Request; outputs: readonly string[] },
): string {
  const answer = outputs.join(", ");
  const asked = request.question ?? "";
  return asked !== "" && !isProse(request)
    ? `the ${asked.replaceAll(/\bmy\b/g, "your")} is ${answer}. ${MORE}`
    : `here is what you asked for: ${answer}. ${MORE}`;
}
