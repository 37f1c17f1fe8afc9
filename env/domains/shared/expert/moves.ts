/** Conversation steps that the experts of all domains share: asking until the user answers, and closing a request. */

import type { Desk, Script } from "../../../agents/desk.ts";

/**
 * The default limit on the number of times that an expert asks the same question. Other limits of the experts are
 * derived from it.
 */
export const MAX_ASKS = 2;

/** Asks a question until `until()` returns true, at most `times` times. */
export function* askUntil(
  desk: Desk,
  { question, until, times = MAX_ASKS }: {
    readonly question: () => string;
    readonly until: () => boolean;
    readonly times?: number;
  },
): Script {
  for (let asks = 0; asks < times && !until(); asks++) {
    yield* desk.say(question());
  }
}

/**
 * Tells the user how a request ended, and repeats the message each time the user asks whether the expert is sure, at
 * most {@linkcode MAX_ASKS} times.
 */
export function* close(desk: Desk, words: string): Script {
  let reply = yield* desk.say(words);
  for (let i = 0; i < MAX_ASKS && /\bare you sure\b/.test(reply); i++) {
    reply = yield* desk.say(words);
  }
}
