/**
 * The react user: the customer thinks before they speak, and only what they say is heard.
 *
 * @module
 */

import { STOP, type UserFactory } from "../types.ts";
import {
  badResponse,
  modelUser,
  type ModelUserOptions,
  type Speak,
  type Utterance,
} from "./_model_user.ts";
import { spoken, withoutEarlyStop } from "./_spoken.ts";

/**
 * A customer who thinks. The thought stays in their memory, and the agent hears what follows `User Response:`.
 *
 * τ-bench's parser looks for `Thought:` first and sends everything behind it, so its agents read the thoughts,
 * and it ends the conversation where a thought mentions the stop token; `compat` does so too.
 */
export function reactUser(options: ModelUserOptions): UserFactory {
  return modelUser(options, {
    system: ({ user }) => user.reactSystem,
    speak: options.compat === true ? speakAsParsed : speakAfterThought(),
  });
}

function speakAfterThought(): Speak {
  const stopped = new WeakSet<object>();
  return (talk, call) =>
    talk.askFor((text): Utterance | undefined => {
      const words = responseOf(text);
      if (words === undefined) return undefined;
      const said = withoutEarlyStop(words, stopped.has(talk));
      if (said !== words) stopped.add(talk);
      return { said, kept: text };
    }, call);
}

/** What stands behind the last marker; `undefined` without one, or if nothing does. */
function responseOf(text: string): string | undefined {
  const parts = text.split(/\**user response\s*:\**/i);
  return parts.length < 2 ? undefined : spoken(parts.at(-1) ?? "");
}

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
