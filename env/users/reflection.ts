/** The reflection user: a supervisor rejects unfit messages and proposes better ones. */

import type { CallOptions, Message, UserFactory } from "../types.ts";
import { speakFixed } from "./llm.ts";
import {
  badResponse,
  modelUser,
  type ModelUserOptions,
  type Speak,
  type Talk,
} from "./_model_user.ts";
import { spokenBehind } from "./_spoken.ts";
import { isFit, reflectOn } from "./_supervisor.ts";

/** Settings of {@linkcode reflectionUser}. */
export interface ReflectionOptions extends ModelUserOptions {
  /** The maximum number of messages that are judged per turn, including the first. Default: 2, as in τ-bench. */
  readonly attempts?: number;
}

/**
 * Creates users whose unfit messages are rewritten by a supervisor.
 *
 * Unless `compat` is set, these errors of τ-bench are fixed: the supervisor's better message is used, and the prompt
 * asks for one. τ-bench asks for true or false but reads a message, shows it to the user's model as if the agent had
 * said it, keeps every attempt in the conversation, and finally uses the first message.
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
  return async (talk, call) => {
    let { said } = await speakFixed(talk, call);
    for (let attempt = 1; attempt < attempts; attempt++) {
      const judged = { messages: talk.messages, response: said, compat: false };
      if (await isFit(talk, judged, call)) break;
      const thoughts = await reflectOn(talk, judged, call);
      // If the supervisor proposes no message, the old one is kept.
      said = talk.sayable(spokenBehind("Response", thoughts)) ?? said;
    }
    return { said, kept: said };
  };
}

function reflectAsTauBench(attempts: number): Speak {
  return async (talk, call) => {
    const messages: Message[] = [...talk.messages];
    const first = await sayAsTauBench(talk, messages, call);
    let said = first;
    for (let attempt = 1;; attempt++) {
      const judged = { messages, response: said, compat: true };
      if (await isFit(talk, judged, call)) return { said, kept: null };
      if (attempt >= attempts) return { said: first, kept: null };
      const thoughts = await reflectOn(
        talk,
        { ...judged, response: first },
        call,
      );
      const parts = thoughts.split("Response:");
      if (parts.length !== 2) throw badResponse(thoughts);
      messages.push({ role: "user", content: (parts[1] ?? "").trim() });
      said = await sayAsTauBench(talk, messages, call);
    }
  };
}

/** Reproduces τ-bench: every attempt stays in the user's conversation, and none in the conversation being judged. */
async function sayAsTauBench(
  talk: Talk,
  messages: readonly Message[],
  call: CallOptions,
): Promise<string> {
  const said = await talk.ask(messages, call);
  talk.note({ role: "assistant", content: said });
  return said;
}
