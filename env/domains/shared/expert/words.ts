/** Sentences of the expert that every desk has. */

import type { Request } from "../goal/goal.ts";
import type { Phraser } from "../user/wording.ts";

/** The answer to a question: its own words, then what was asked for. */
export function answerWords(
  { request, outputs }: { request: Request; outputs: readonly string[] },
  say: Phraser,
): string {
  const answer = outputs.join(", ");
  const asked = request.question ?? "";
  return asked.length > 0 && asked.length <= 80
    ? `the ${asked.replaceAll(/\bmy\b/g, "your")} is ${answer}. ${
      moreWords(say)
    }`
    : `here is what you asked for: ${answer}. ${moreWords(say)}`;
}

/** Whether there is anything else. */
export function moreWords(say: Phraser): string {
  return say([
    "anything else?",
    "is there anything else?",
    "can i help with anything else?",
  ]);
}
