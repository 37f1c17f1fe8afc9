/** Implements the reflection user: a supervisor rejects unsuitable messages and proposes better messages. */

import type { CallOptions, Message, UserFactory } from "../types.ts";
import { speakFixed } from "./llm.ts";
import {
  badResponse,
  modelUser,
  type ModelUserOptions,
  type Speak,
  type UserConversation,
} from "./_model_user.ts";
import { spokenAfter } from "./_spoken.ts";
import { isAcceptable, reflectOn } from "./_supervisor.ts";

/** Options for {@linkcode reflectionUser}. */
export interface ReflectionOptions extends ModelUserOptions {
  /**
   * The maximum number of messages that are proposed per turn, including the first. If the maximum is reached, the last
   * message is judged only if `compat` is set. Default: 2, as in τ-bench.
   */
  readonly attempts?: number;
}

/**
 * Creates users whose unsuitable messages are rewritten by a supervisor.
 *
 * A supervisor that rejects a message is asked for a better message, which is used instead. If `compat` is set, these
 * errors of τ-bench are reproduced:
 *
 * - The prompt asks for true or false instead of a better message, but the reply is parsed as a message.
 * - This message is shown to the user's model as if the agent had said it.
 * - Every attempt stays in the conversation.
 * - If no attempt is accepted, the first message is used.
 */
export function reflectionUser(options: ReflectionOptions): UserFactory {
  const { compat = false, attempts = 2 } = options;
  return modelUser(options, {
    strategy: "reflection",
    system: ({ user }) => user.system,
    speak: compat ? reflectAsTauBench(attempts) : reflect(attempts),
  });
}

function reflect(attempts: number): Speak {
  return async (conversation, call) => {
    let { message } = await speakFixed(conversation, call);
    for (let attempt = 1; attempt < attempts; attempt++) {
      const judged = {
        messages: conversation.messages,
        response: message,
        compat: false,
      };
      if (await isAcceptable(conversation, judged, call)) break;
      const thoughts = await reflectOn(conversation, judged, call);
      // If the supervisor proposes no message, the old one is kept.
      message = conversation.sayable(spokenAfter("Response", thoughts)) ??
        message;
    }
    return { message, recorded: message };
  };
}

function reflectAsTauBench(attempts: number): Speak {
  return async (conversation, call) => {
    const messages: Message[] = [...conversation.messages];
    const first = await sayAsTauBench(conversation, messages, call);
    let message = first;
    for (let attempt = 1;; attempt++) {
      const judged = { messages, response: message, compat: true };
      if (await isAcceptable(conversation, judged, call)) {
        return { message, recorded: null };
      }
      if (attempt >= attempts) return { message: first, recorded: null };
      const thoughts = await reflectOn(
        conversation,
        { ...judged, response: first },
        call,
      );
      const parts = thoughts.split("Response:");
      if (parts.length !== 2) throw badResponse(thoughts);
      messages.push({ role: "user", content: (parts[1] ?? "").trim() });
      message = await sayAsTauBench(conversation, messages, call);
    }
  };
}

/**
 * Asks the user's model for a message, as τ-bench does: the message is added to the user's conversation, but not to
 * `messages`, the conversation that the supervisor judges.
 */
async function sayAsTauBench(
  conversation: UserConversation,
  messages: readonly Message[],
  call: CallOptions,
): Promise<string> {
  const message = await conversation.ask(messages, call);
  conversation.note({ role: "assistant", content: message });
  return message;
}
