/**
 * Sentences that the experts of all domains share. Each purpose has a single sentence, because models learn to imitate
 * the experts.
 */

import { isProse } from "../goal/bench_goal.ts";
import type { Request } from "../goal/goal.ts";

/** The question that asks whether the user wants anything else. */
export const MORE = "anything else?";

/**
 * Returns the message that answers a question. It repeats the question, unless the question is missing, empty or quoted
 * from an instruction.
 */
export function answerWords(
  { request, outputs }: { request: Request; outputs: readonly string[] },
): string {
  const answer = outputs.join(", ");
  const asked = request.question ?? "";
  return asked !== "" && !isProse(request)
    ? `the ${asked.replaceAll(/\bmy\b/g, "your")} is ${answer}. ${MORE}`
    : `here is what you asked for: ${answer}. ${MORE}`;
}
