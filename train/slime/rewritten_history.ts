/**
 * Detects models whose chat template removes the thoughts from earlier answers after the next user message.
 *
 * In training, earlier answers keep their thoughts. A chat API renders the history again in each turn and removes the
 * thoughts. The histories that the trained model then sees differ from those in training.
 */

import type { SlimeConfig } from "./slime_schema.ts";

/** An explanation of why it matters that a chat template changes earlier messages, worded as the end of a sentence. */
export const REWRITTEN_HISTORY =
  "training keeps earlier messages unchanged, so conversations over a chat API differ from those in training";

/** Matches the names of hybrid Qwen3 checkpoints; Instruct-2507 and Thinking-2507 are not hybrid. */
const HYBRIDS =
  /^Qwen3-(?:0\.6B|1\.7B|4B|8B|14B|32B|30B-A3B|235B-A22B)(?:-FP8)?$/;

/**
 * Checks, based on a model's name, whether its chat template removes thoughts from earlier answers. Returns `false` if
 * the model is set not to think.
 */
export function rewritesHistory(
  { name, thinking }: Pick<SlimeConfig["model"], "name" | "thinking">,
): boolean {
  return thinking !== false && HYBRIDS.test(name);
}
