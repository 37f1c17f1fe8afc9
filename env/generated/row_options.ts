/** Knobs of tasks that are drawn over the rows of a benchmark: one schema is type, defaults and help text. */

import { z } from "zod";
import { count, share } from "./knobs.ts";

/** Settings of {@linkcode drawRowTasks}. Every field has a default; `parse({})` draws nothing. */
export const rowOptionsSchema = z.strictObject({
  trainTasks: count.default(0).describe(
    "Train tasks to draw over the benchmark's rows; 0 draws none",
  ),
  seed: z.int().default(1).describe("Seed of the drawn tasks"),
  ownTrain: z.boolean().default(false).describe(
    "Keep the benchmark's own train tasks, before the drawn ones",
  ),
  holdOut: z.array(z.string().min(1)).readonly().default(["dev", "test"])
    .describe(
      "Splits, or JSON files of tasks, whose users no drawn task is about",
    ),
  severalShare: share.default(0.55).describe(
    "Share of tasks with a further request after each",
  ),
  conditionShare: share.default(0.12).describe(
    "Share of requests that are refused, and come with what is wanted then",
  ),
  questionShare: share.default(0.2).describe(
    "Share of requests that ask for something to be told",
  ),
  idStatedShare: share.default(0.1).describe(
    "Share of requests whose user knows the id of the order or reservation; the others describe it",
  ),
});

/** What may be given. */
export type RowOptionsInput = z.input<typeof rowOptionsSchema>;

/** What tasks are drawn with, defaults filled in. */
export type RowOptions = z.output<typeof rowOptionsSchema>;
