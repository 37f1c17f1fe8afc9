/** Sets the label under which a factory's users appear in records. */

import type { UserFactory } from "../types.ts";

/** Sets the factory's label. The function `make` itself is modified, so pass a new function. */
export function labelled(label: string, make: UserFactory): UserFactory {
  return Object.assign(make, { label });
}
