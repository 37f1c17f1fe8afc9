/** The settings of composed telecom worlds. One schema defines their types, defaults and help texts. */

import { z } from "zod";
import { FAULT_KINDS } from "./phone_faults.ts";

const part = z.number().min(0).max(1);

/** The schema of the settings of {@linkcode telecomBundle}. Every field has a default. */
export const telecomOptionsSchema = z.strictObject({
  minFaults: z.int().min(1).max(8).default(1).describe(
    "Minimum number of faults per task",
  ),
  maxFaults: z.int().min(1).max(8).default(4).describe(
    "Maximum number of faults per task",
  ),
  kinds: z.array(z.enum(FAULT_KINDS)).min(1).default([...FAULT_KINDS])
    .describe("Kinds of faults; a task has at most one fault of each kind"),
  complaints: z.array(z.enum(["service", "data", "mms"])).min(1)
    .default(["service", "data", "mms"]).describe(
      "Complaints that users call about, in equal shares",
    ),
  actors: z.enum(["any", "user", "agent", "both"]).default("any").describe(
    "Sides that must act to solve a task: the user, the agent, both, or any of these",
  ),
  hopelessShare: part.default(0.1).describe(
    "Share of unsolvable tasks, in which the agent has to transfer the user to a person",
  ),
  linesMax: z.int().min(1).max(3).default(3).describe(
    "Maximum number of lines per customer",
  ),
  personas: z.boolean().default(false).describe(
    "Whether users have personas",
  ),
  testShare: part.default(0.1).describe(
    "Share of tasks in each of dev and test; no two splits share a combination of faults or an account",
  ),
});

/** The settings of {@linkcode telecomBundle} with defaults filled in. */
export type TelecomOptions = z.infer<typeof telecomOptionsSchema>;
