/**
 * Settings that all generated worlds share: the numbers of tasks, how users speak, whether they change their minds, and
 * what they do after a refusal.
 */

import { z } from "zod";

/** The schema of a non-negative integer. */
export const count = z.number().int().min(0);

/** The schema of a positive integer. */
export const positive = z.number().int().min(1);

/** The schema of a number from 0 to 1. */
export const share = z.number().min(0).max(1);

/** The schema of a relative weight; 0 excludes the item. */
export const weight = z.number().min(0);

/** Schemas for the task-count settings, to be spread into a world's schema. */
export const taskKnobs = {
  trainTasks: positive.default(400).describe("Number of train tasks"),
  devTasks: positive.default(50).describe("Number of dev tasks"),
  testTasks: positive.default(100).describe("Number of test tasks"),
  tasksPerUser: positive.default(1).describe(
    "Number of tasks per user, each about different rows",
  ),
};

/** Creates schemas for the settings that control users, to be spread into a world's schema. */
export function userKnobs(
  about: {
    /** The help text for the setting `changeOfMindShare`. */
    readonly changeOfMind: string;
    /** The help text for the setting `fallbackShare`. */
    readonly fallback: string;
  },
) {
  return {
    changeOfMindShare: share.default(0.1).describe(
      about.changeOfMind,
    ),
    fallbackShare: share.default(0.5).describe(
      about.fallback,
    ),
    voices: z.strictObject({
      plain: weight.default(3).describe("Weight of users who write plainly"),
      terse: weight.default(1).describe(
        "Weight of users who write as little as possible",
      ),
      chatty: weight.default(1).describe(
        "Weight of users who also talk about other things",
      ),
      impatient: weight.default(1).describe(
        "Weight of users who are in a hurry",
      ),
    }).prefault({}).describe("Relative weights of the users' writing styles"),
    holdOutPhrasings: z.boolean().default(true).describe(
      "Whether users of dev and test tasks also use phrasings that never occur in train tasks",
    ),
    wording: z.number().int().min(1).max(6).default(3).describe(
      "Number of phrasings of each sentence that the user and the expert choose from",
    ),
  };
}

/** The options to be validated across fields, and the context to which issues are added. */
interface Checked {
  readonly options: Readonly<Record<string, unknown>>;
  readonly context: z.RefinementCtx;
}

/** Adds an issue for each lower bound that is greater than its upper bound. */
export function checkRanges(
  { options, context }: Checked,
  ranges: readonly (readonly [low: string, high: string])[],
): void {
  for (const [low, high] of ranges) {
    if (Number(options[low]) <= Number(options[high])) continue;
    context.addIssue({
      code: "custom",
      path: [high],
      message: `${high} (${options[high]}) is less than ${low} (${
        options[low]
      }); raise ${high} or lower ${low}`,
    });
  }
}

/** Adds an issue for each group of weights without a positive weight. */
export function checkWeights(
  { options, context }: Checked,
  what: Readonly<Record<string, string>>,
): void {
  for (const [key, noun] of Object.entries(what)) {
    const weights = Object.values(options[key] as Record<string, number>);
    if (weights.some((one) => one > 0)) continue;
    context.addIssue({
      code: "custom",
      path: [key],
      message: `Every weight is 0; give at least one ${noun} a positive weight`,
    });
  }
}
