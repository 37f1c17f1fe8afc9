/** The user of episodes in which an agent works alone. */

import type { User, UserFactory } from "../types.ts";
import { labelled } from "./_label.ts";

/** Makes users who are never asked; a `TypeError` tells of a world that asks them. */
export function absentUser(): UserFactory {
  return labelled("none", (): User => ({ open: refuse, reply: refuse }));
}

function refuse(): Promise<never> {
  return Promise.reject(new TypeError("There is no user who could be asked"));
}
