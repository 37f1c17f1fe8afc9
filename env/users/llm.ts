/** Implements the llm user: a model plays the user, one message at a time. */

import type { UserFactory } from "../types.ts";
import { modelUser, type ModelUserOptions, type Speak } from "./_model_user.ts";
import { spoken } from "./_spoken.ts";
import { rulesUser } from "./rules_user.ts";

/**
 * Creates users played by a model.
 *
 * Unless `compat` is set, the user differs from τ-bench's as follows:
 *
 * - If a message is empty or truncated, or the first message consists only of the stop token, the model is asked again.
 * - Reasoning in tags, a speaker label, and quotes and code fences around the whole message are removed.
 * - Words that accompany the stop token are sent before the conversation ends.
 *
 * The model is not called before the conversation opens, and the usage of all calls is summed. If the dataset has its
 * own rules, the user follows these rules instead: see {@linkcode rulesUser}.
 */
export function llmUser(options: ModelUserOptions): UserFactory {
  const { rules } = options.dataset;
  if (rules !== undefined) return rulesUser(options.model, rules);
  return modelUser(options, {
    strategy: "llm",
    system: ({ user }) => user.system,
    speak: options.compat === true ? speakAsWritten : speakFixed,
  });
}

/**
 * Asks the model for the next message of an llm user. The verify user gets all its proposals from this function; the
 * reflection user gets only its first.
 */
export const speakFixed: Speak = async (conversation, call) => {
  const message = await conversation.askFor(
    (text) => conversation.sayable(spoken(text)),
    call,
  );
  return { message, recorded: message };
};

/** Returns the model's answer unchanged, as in τ-bench. */
export const speakAsWritten: Speak = async (conversation, call) => {
  const message = await conversation.ask(conversation.messages, call);
  return { message, recorded: message };
};
