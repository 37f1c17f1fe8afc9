/** What records call the customers of a factory. */

import type { UserFactory } from "../types.ts";

/** The factory with a name for records. `make` is new and nobody else's: it is labelled itself. */
export function labelled(label: string, make: UserFactory): UserFactory {
  return Object.assign(make, { label });
}
