/** What records call the users that a factory makes. */

import type { UserFactory } from "../types.ts";

/** The factory with a name for records. `make` is new and nobody else's: it is labelled itself. */
export function labelled(label: string, make: UserFactory): UserFactory {
  return Object.assign(make, { label });
}
