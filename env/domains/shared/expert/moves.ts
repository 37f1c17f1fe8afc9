/** What experts of every desk do: ask until they have heard, and close a request. */

import type { Desk, Script } from "../../../agents/desk.ts";

/** How often the same thing is asked before the expert goes on without. */
export const MAX_ASKS = 2;

/** Asks the same thing until it is known, or has been asked often enough. */
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

/** Says how a request ended; stands by it if the user doubts it. */
export function* close(desk: Desk, words: string): Script {
  let reply = yield* desk.say(words);
  for (let i = 0; i < MAX_ASKS && /\bare you sure\b/.test(reply); i++) {
    reply = yield* desk.say(words);
  }
}
