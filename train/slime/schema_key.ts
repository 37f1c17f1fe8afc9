/** What a key of a slime recipe is: a schema, a description, and the flag that it becomes. */

import { z } from "zod";

/** From 1. */
export const positive = z.int().min(1);
/** From 0. */
export const count = z.int().min(0);
/** Not negative. */
export const weight = z.number().min(0);
/** Above 0. */
export const rate = z.number().gt(0);
/** Not empty. */
export const path = z.string().min(1);

/** What a key is to slime: its description, and the flag that it becomes. */
export function key<T extends z.ZodType>(
  schema: T,
  description: string,
  flag?: string,
): T {
  return schema.meta(
    flag === undefined ? { description } : { description, flag },
  );
}
