/** The verify user: the user says nothing that a supervisor has not looked at. */

import type { UserFactory } from "../types.ts";
import { speakAsWritten, speakFixed } from "./llm.ts";
import {
  modelUser,
  type ModelUserOptions,
  type Speak,
  type Utterance,
} from "./_model_user.ts";
import { isFit, messageRepr } from "./_supervisor.ts";

/** Settings of {@linkcode verifyUser}. */
export interface VerifyOptions extends ModelUserOptions {
  /** Most proposals for one message; the last is said if none is fit. Default: 3, as in τ-bench. */
  readonly attempts?: number;
}

/**
 * A user whose messages are verified.
 *
 * Fixed where τ-bench errs, unless `compat`: the supervisor reads the message and not the object that holds it,
 * the transcript's labels are not crossed, and a message that is said although none was fit stays in memory.
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
  return async (talk, call) => {
    let last: Utterance = { said: "", kept: null };
    for (let attempt = 0; attempt < attempts; attempt++) {
      last = await propose(talk, call);
      const response = compat ? messageRepr(last.said) : last.said;
      const judged = { messages: talk.messages, response, compat };
      if (await isFit(talk, judged, call)) return last;
    }
    return compat ? { ...last, kept: null } : last;
  };
}
