/** The llm user: a model plays the customer, one message at a time. */

import type { UserFactory } from "../types.ts";
import { modelUser, type ModelUserOptions, type Speak } from "./_model_user.ts";
import { spoken } from "./_spoken.ts";

/**
 * A customer played by a model.
 *
 * Mended against τ-bench, unless `compat`: an empty message, and a first one that is nothing but the stop token,
 * are asked for again; reasoning in tags, a label of the speaker, quotes and fences around everything are taken
 * off; words that carry the stop token are said before the conversation ends. No call is made before the
 * conversation opens, and costs are added up.
 */
export function llmUser(options: ModelUserOptions): UserFactory {
  return modelUser(options, {
    strategy: "llm",
    system: ({ user }) => user.system,
    speak: options.compat === true ? speakAsWritten : speakMended,
  });
}

/** The next message as the plain customer says it; other strategies begin with it too. */
export const speakMended: Speak = async (talk, call) => {
  const said = await talk.askFor((text) => talk.sayable(spoken(text)), call);
  return { said, kept: said };
};

/** As τ-bench: whatever the model writes. */
export const speakAsWritten: Speak = async (talk, call) => {
  const said = await talk.ask(talk.messages, call);
  return { said, kept: said };
};
