/** The llm user: a model plays the user, one message at a time. */

import type { UserFactory } from "../types.ts";
import { modelUser, type ModelUserOptions, type Speak } from "./_model_user.ts";
import { spoken } from "./_spoken.ts";
import { rulesUser } from "./rules_user.ts";

/**
 * A user played by a model.
 *
 * Fixed where τ-bench errs, unless `compat`: an empty message, and a first one that is nothing but the stop token,
 * are asked for again; reasoning in tags, a label of the speaker, quotes and fences around everything are taken
 * off; words that carry the stop token are said before the conversation ends. No call is made before the
 * conversation opens, and costs are added up. Where the dataset has rules of its own, the user plays by them:
 * {@linkcode rulesUser}.
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

/** The next message as the plain user says it; other strategies begin with it too. */
export const speakFixed: Speak = async (talk, call) => {
  const said = await talk.askFor((text) => talk.sayable(spoken(text)), call);
  return { said, kept: said };
};

/** As τ-bench: whatever the model writes. */
export const speakAsWritten: Speak = async (talk, call) => {
  const said = await talk.ask(talk.messages, call);
  return { said, kept: said };
};
