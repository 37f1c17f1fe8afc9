/** The knobs of composed worlds of telecom: one schema is type, defaults and help text. */

import { z } from "zod";
import { FAULT_KINDS } from "./phone_faults.ts";

const part = z.number().min(0).max(1);

/** Settings of {@linkcode telecomBundle}. Every field has a default. */
export const telecomOptionsSchema = z.strictObject({
  minFaults: z.int().min(1).max(8).default(1).describe(
    "Fewest faults of a task",
  ),
  maxFaults: z.int().min(1).max(8).default(4).describe(
    "Most faults of a task",
  ),
  kinds: z.array(z.enum(FAULT_KINDS)).min(1).default([...FAULT_KINDS])
    .describe("Kinds of faults; a task has at most one fault of a kind"),
  complaints: z.array(z.enum(["service", "data", "mms"])).min(1)
    .default(["service", "data", "mms"]).describe(
      "What users call for, each as often",
    ),
  actors: z.enum(["any", "user", "agent", "both"]).default("any").describe(
    "Who has to act, of tasks that can be mended",
  ),
  hopelessShare: part.default(0.1).describe(
    "Share of tasks in which the user has to be handed over to a person",
  ),
  linesMax: z.int().min(1).max(3).default(3).describe(
    "Most lines of a customer",
  ),
  personas: z.boolean().default(false).describe(
    "Whether users have personas",
  ),
  testShare: part.default(0.1).describe(
    "Share of tasks for dev, and for test; no combination of faults and no customer is in two splits",
  ),
});

/** The knobs, with their defaults. */
export type TelecomOptions = z.infer<typeof telecomOptionsSchema>;
