/** Numbers and paths of a slime recipe. */

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
