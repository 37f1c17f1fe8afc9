/** Recognizes requests for a user id, and phrases an airline user's answers. */

import type { Phraser } from "../../shared/user/wording.ts";

/** Matches a request for the user id in a lowercase message. */
export const ID = /\buser id\b|\bwho (are you|am i)\b|\bidentif|\byour id\b/;

/** Returns an answer that states the user id. */
export function idWords(userId: string, say: Phraser): string {
  return say([
    `my user id is ${userId}.`,
    `it is ${userId}.`,
    `sure, ${userId}.`,
  ]);
}
