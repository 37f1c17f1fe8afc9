/** Reads optional fields of server answers. */

import type { z } from "zod";

/**
 * Makes a field optional and nullable. An invalid value is read as `undefined` and does not invalidate the whole
 * answer.
 */
export function extra<T extends z.ZodType>(schema: T) {
  return schema.nullish().catch(undefined);
}
