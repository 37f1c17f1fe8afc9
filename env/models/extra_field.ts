/** Fields of an answer that it could do without. */

import type { z } from "zod";

/** A field that says more than is needed: one that is odd is read as one that is not there. */
export function extra<T extends z.ZodType>(schema: T) {
  return schema.nullish().catch(undefined);
}
