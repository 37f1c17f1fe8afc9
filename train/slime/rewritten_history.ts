/**
 * Models whose chat template removes thoughts from the history after the next user message. Training keeps every token
 * as sampled, so only a server that renders the history again for each turn shows the model something different.
 */

import type { SlimeConfig } from "./slime_schema.ts";

/** The effect, as the end of a sentence. */
export const REWRITTEN_HISTORY =
  "training keeps them, so the conversations behind a chat API differ from those in training";

/** Matches the names of hybrid Qwen3 checkpoints; Instruct-2507 and Thinking-2507 are not hybrid. */
const HYBRIDS =
  /^Qwen3-(?:0\.6B|1\.7B|4B|8B|14B|32B|30B-A3B|235B-A22B)(?:-FP8)?$/;

/** Checks by its name whether a model's template is known to do so. */
export function rewritesHistory(
  { name, thinking }: Pick<SlimeConfig["model"], "name" | "thinking">,
): boolean {
  return thinking !== false && HYBRIDS.test(name);
}
