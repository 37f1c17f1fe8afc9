/** Checks that the agent told the user the required information. */

import { hasText, type Tau3Message } from "../tau3_message.ts";
import {
  type CommunicateCheck,
  NO_PARTS,
  type Tau3Reward,
} from "../tau3_reward.ts";
import type { Tau3Task } from "../tau3_task.ts";

/**
 * Searches for each required piece of information in the agent's messages, ignoring case and any commas in the
 * messages.
 */
export function evaluateCommunication(
  { criteria }: Tau3Task,
  messages: readonly Tau3Message[],
): Tau3Reward {
  const wanted = criteria?.communicateInfo ?? [];
  if (wanted.length === 0) {
    return {
      ...NO_PARTS,
      value: 1,
      breakdown: [["COMMUNICATE", 1]],
      info: { note: "No communicate_info to evaluate" },
    };
  }
  const said = messages.flatMap((message) =>
    message.role === "assistant" && hasText(message)
      ? [message.content ?? ""]
      : []
  );
  const communicate = wanted.map((info) => checkOf(info, said));
  const value = communicate.every(({ met }) => met) ? 1 : 0;
  return {
    ...NO_PARTS,
    value,
    communicate,
    breakdown: [["COMMUNICATE", value]],
  };
}

function checkOf(info: string, said: readonly string[]): CommunicateCheck {
  const wanted = info.toLowerCase();
  const found = said.find((content) =>
    content.toLowerCase().replaceAll(",", "").includes(wanted)
  );
  return {
    info,
    met: found !== undefined,
    justification: found === undefined
      ? `Information '${info}' not communicated.`
      : `Information '${info}' communicated in the message:\n '${found}'`,
  };
}
