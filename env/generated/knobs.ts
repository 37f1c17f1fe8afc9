/**
 * Knobs that every generated world has under the same names: how its users speak, whether they change their mind,
 * what they do once they are refused.
 */

import { z } from "zod";

/** None or more of something. */
export const count = z.number().int().min(0);

/** One or more of something. */
export const positive = z.number().int().min(1);

/** Within 0..1. */
export const share = z.number().min(0).max(1);

/** Relative; 0 leaves something out. */
export const weight = z.number().min(0);

/** How many tasks each split has, to be spread into a world's schema. */
export const taskKnobs = {
  trainTasks: positive.default(400).describe("Tasks in the train split"),
  devTasks: positive.default(50).describe("Tasks in the dev split"),
  testTasks: positive.default(100).describe("Tasks in the test split"),
  tasksPerUser: positive.default(1).describe(
    "Tasks that share one user; each is about rows of its own",
  ),
};

/** The knobs of users, to be spread into a world's schema. */
export function userKnobs(
  about: {
    /** Of `changeOfMindShare`. */
    readonly changeOfMind: string;
    /** Of `fallbackShare`. */
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
      plain: weight.default(3).describe("Says what is needed"),
      terse: weight.default(1).describe(
        "Writes as little as possible",
      ),
      chatty: weight.default(1).describe(
        "Talks about other things as well",
      ),
      impatient: weight.default(1).describe("Is in a hurry"),
    }).prefault({}).describe("Relative weights of how users write"),
    holdOutPhrasings: z.boolean().default(true).describe(
      "Users of dev and test tasks choose from phrasings that those of train tasks never use",
    ),
    wording: z.number().int().min(1).max(6).default(3).describe(
      "Phrasings of each sentence that user and expert choose from",
    ),
  };
}

/** Options whose weights and ranges are looked at together. */
interface Checked {
  readonly options: Readonly<Record<string, unknown>>;
  readonly context: z.RefinementCtx;
}

/** Each lower bound is at most its upper one. */
export function checkRanges(
  { options, context }: Checked,
  ranges: readonly (readonly [low: string, high: string])[],
): void {
  for (const [low, high] of ranges) {
    if (Number(options[low]) <= Number(options[high])) continue;
    context.addIssue({
      code: "custom",
      path: [high],
      message: `${high} is ${options[high]}, less than ${low}, which is ${
        options[low]
      }; raise ${high} or lower ${low}`,
    });
  }
}

/** Something can be drawn of what has weights. */
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
