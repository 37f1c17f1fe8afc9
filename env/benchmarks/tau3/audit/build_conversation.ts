/** Builds conversations from calls and messages, to be evaluated by audits. */

import { GREETING } from "../orchestrator.ts";
import type { ParticipantMessage, Tau3Message } from "../tau3_message.ts";
import type { ExpectedAction, Tau3Task } from "../tau3_task.ts";
import { startWorld, type WorldSource } from "../tau3_world.ts";

/**
 * Creates a conversation that consists of the task's history, the greeting, the user's request, the calls with their
 * results, the agent's messages, and the user's stop token.
 */
export function buildConversation(
  source: WorldSource,
  task: Tau3Task,
  { asked = "Hello.", acts = [], say }: {
    readonly asked?: string;
    readonly acts?: readonly ExpectedAction[];
    readonly say: readonly string[];
  },
): Tau3Message[] {
  const world = startWorld(source, task);
  return [
    ...task.history,
    saying("assistant", GREETING),
    saying("user", asked),
    ...acts.flatMap((action, i): Tau3Message[] => {
      const { name, arguments: args, requestor } = action;
      const call = { id: `c${i}`, name, arguments: args, requestor };
      return [
        { role: requestor, content: null, toolCalls: [call], cost: null },
        world.respond(call),
      ];
    }),
    ...say.map((text) => saying("assistant", text)),
    saying("user", "###STOP###"),
  ];
}

function saying(
  role: ParticipantMessage["role"],
  content: string,
): ParticipantMessage {
  return { role, content, toolCalls: null, cost: null };
}
