/** The react user: the user thinks before they speak, and only what they say is heard. */

import { STOP, type UserFactory } from "../types.ts";
import {
  badResponse,
  modelUser,
  type ModelUserOptions,
  type Speak,
} from "./_model_user.ts";
import { spokenBehind } from "./_spoken.ts";

/**
 * A user who thinks. The thought stays in their memory, and the agent hears what follows `User Response:`;
 * an answer without that is asked for again.
 *
 * τ-bench's parser looks for `Thought:` first and sends everything behind it, so its agents read the thoughts,
 * and it ends the conversation where a thought mentions the stop token; `compat` does so too.
 */
export function reactUser(options: ModelUserOptions): UserFactory {
  return modelUser(options, {
    strategy: "react",
    system: ({ user }) => user.reactSystem,
    speak: options.compat === true ? speakAsParsed : speakAfterThought,
  });
}

const speakAfterThought: Speak = (talk, call) =>
  talk.askFor((text) => {
    const said = talk.sayable(spokenBehind("User Response", text));
    return said === undefined ? undefined : { said, kept: text };
  }, call);

const speakAsParsed: Speak = async (talk, call) => {
  const text = await talk.ask(talk.messages, call);
  return { said: parseAsTauBench(text), kept: text };
};

function parseAsTauBench(text: string): string {
  if (text.includes(STOP)) return STOP;
  for (const marker of ["Thought:", "User Response:"]) {
    const parts = text.split(marker);
    if (parts.length === 1) continue;
    // Python cannot unpack more than two parts, and the original breaks there.
    if (parts.length > 2) break;
    return (parts[1] ?? "").trim();
  }
  throw badResponse(text);
}
