/** Implements the react user, who thinks before speaking; the agent sees only the message. */

import { STOP, type UserFactory } from "../types.ts";
import {
  badResponse,
  modelUser,
  type ModelUserOptions,
  type Speak,
} from "./_model_user.ts";
import { spokenAfter } from "./_spoken.ts";

/**
 * Creates users who think before they speak. The thought stays in the model's conversation, and the agent receives the
 * text after `User Response:`. An answer without that marker is requested again.
 *
 * τ-bench's parser looks for `Thought:` first and sends everything after it. Its agents therefore read the thoughts,
 * and a thought that mentions the stop token ends the conversation. `compat` reproduces this.
 */
export function reactUser(options: ModelUserOptions): UserFactory {
  return modelUser(options, {
    strategy: "react",
    system: ({ user }) => user.reactSystem,
    speak: options.compat === true ? speakAsParsed : speakAfterThought,
  });
}

const speakAfterThought: Speak = (conversation, call) =>
  conversation.askFor((text) => {
    const message = conversation.sayable(spokenAfter("User Response", text));
    return message === undefined ? undefined : { message, recorded: text };
  }, call);

const speakAsParsed: Speak = async (conversation, call) => {
  const text = await conversation.ask(conversation.messages, call);
  return { message: parseAsTauBench(text), recorded: text };
};

function parseAsTauBench(text: string): string {
  if (text.includes(STOP)) return STOP;
  for (const marker of ["Thought:", "User Response:"]) {
    const parts = text.split(marker);
    if (parts.length === 1) continue;
    // Python cannot unpack more than two parts, so τ-bench fails here.
    if (parts.length > 2) break;
    return (parts[1] ?? "").trim();
  }
  throw badResponse(text);
}
