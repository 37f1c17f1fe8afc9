/** Implements the verify user: a supervisor checks every message before the user says it. */

import type { UserFactory } from "../types.ts";
import { speakAsWritten, speakFixed } from "./llm.ts";
import {
  modelUser,
  type ModelUserOptions,
  type Speak,
  type Utterance,
} from "./_model_user.ts";
import { isAcceptable, messageRepr } from "./_supervisor.ts";

/** Options for {@linkcode verifyUser}. */
export interface VerifyOptions extends ModelUserOptions {
  /**
   * The maximum number of proposals per message. If no proposal is accepted, the last is used. Default: 3, as in
   * τ-bench.
   */
  readonly attempts?: number;
}

/**
 * Creates users whose messages are verified by a supervisor.
 *
 * Unless `compat` is set, the user proposes messages as the llm user does, and differs from τ-bench's as follows:
 *
 * - The supervisor reads the message instead of the printed message object.
 * - The labels of the agent and the user in the transcript are not swapped.
 * - If no proposal is accepted, the last proposal is also kept in the conversation of the user's model.
 */
export function verifyUser(options: VerifyOptions): UserFactory {
  const { compat = false, attempts = 3 } = options;
  return modelUser(options, {
    strategy: "verify",
    system: ({ user }) => user.system,
    speak: verified({
      propose: compat ? speakAsWritten : speakFixed,
      attempts,
      compat,
    }),
  });
}

function verified(
  { propose, attempts, compat }: {
    propose: Speak;
    attempts: number;
    compat: boolean;
  },
): Speak {
  return async (conversation, call) => {
    let last: Utterance = { message: "", recorded: null };
    for (let attempt = 0; attempt < attempts; attempt++) {
      last = await propose(conversation, call);
      const response = compat ? messageRepr(last.message) : last.message;
      const judged = { messages: conversation.messages, response, compat };
      if (await isAcceptable(conversation, judged, call)) return last;
    }
    return compat ? { ...last, recorded: null } : last;
  };
}
