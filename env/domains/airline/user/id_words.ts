/** How an airline's users say who they are. */

import type { Phraser } from "../../shared/user/wording.ts";

/** How agents ask for it, in lower case. */
export const ID = /\buser id\b|\bwho (are you|am i)\b|\bidentif|\byour id\b/;

/** The answer. */
export function idWords(userId: string, say: Phraser): string {
  return say([
    `my user id is ${userId}.`,
    `it is ${userId}.`,
    `sure, ${userId}.`,
  ]);
}
