/** Schemas of numbers and paths in a slime recipe. */

import { z } from "zod";

/** An integer of at least 1. */
export const positive = z.int().min(1);
/** An integer of at least 0. */
export const count = z.int().min(0);
/** A number of at least 0. */
export const weight = z.number().min(0);
/** A number above 0. */
export const rate = z.number().gt(0);
/** A non-empty string. */
export const path = z.string().min(1);
