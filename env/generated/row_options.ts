/** Settings for tasks drawn from a benchmark's rows. One schema defines their types, defaults and help texts. */

import { z } from "zod";
import { count, share } from "./knobs.ts";

/** Options for {@linkcode drawRowTasks}. Every field has a default; by default, no tasks are drawn. */
export const rowOptionsSchema = z.strictObject({
  trainTasks: count.default(0).describe(
    "Number of train tasks to draw from the benchmark's rows",
  ),
  seed: z.int().default(1).describe("Seed of the drawn tasks"),
  ownTrain: z.boolean().default(false).describe(
    "Keep the benchmark's own train tasks and append the drawn ones",
  ),
  holdOut: z.array(z.string().min(1)).readonly().default(["dev", "test"])
    .describe(
      "Splits, or JSON files of tasks, whose users are excluded from drawn tasks",
    ),
  severalShare: share.default(0.55).describe(
    "Probability that a task's request is followed by another request",
  ),
  conditionShare: share.default(0.12).describe(
    "Share of requests that are refused and followed by an alternative",
  ),
  questionShare: share.default(0.2).describe(
    "Share of requests for information",
  ),
  idStatedShare: share.default(0.1).describe(
    "Share of requests in which the user gives the id of the order or reservation instead of a description",
  ),
});

/** Options for {@linkcode drawRowTasks} as passed by a caller. */
export type RowOptionsInput = z.input<typeof rowOptionsSchema>;

/** Options for {@linkcode drawRowTasks} with defaults filled in. */
export type RowOptions = z.output<typeof rowOptionsSchema>;
