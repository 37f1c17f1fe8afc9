/** Defines the schemas of numbers and paths in a slime recipe. */

import { z } from "zod";

/** The schema of an integer of at least 1. */
export const positive = z.int().min(1);

/** The schema of a TCP port. */
export const tcpPort = positive.max(65535);
/** The schema of an integer of at least 0. */
export const count = z.int().min(0);
/** The schema of a number of at least 0. */
export const weight = z.number().min(0);
/** The schema of a number above 0. */
export const rate = z.number().gt(0);
/** The schema of a path, a string that is not empty. */
export const path = z.string().min(1);
