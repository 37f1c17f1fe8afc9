/** Sets the label that a user factory has in records. */

import type { UserFactory } from "../types.ts";

/** Sets the factory's label. It changes `make` itself, so pass a new function. */
export function labelled(label: string, make: UserFactory): UserFactory {
  return Object.assign(make, { label });
}
