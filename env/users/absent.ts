/** Implements the absent user, for episodes in which an agent works alone. */

import type { User, UserFactory } from "../types.ts";
import { labelled } from "./_label.ts";

/** Creates users who must not be asked: their methods reject with a `TypeError`. */
export function absentUser(): UserFactory {
  return labelled("none", (): User => ({ open: refuse, reply: refuse }));
}

function refuse(): Promise<never> {
  return Promise.reject(
    new TypeError("Cannot ask the user: this episode has no user"),
  );
}
