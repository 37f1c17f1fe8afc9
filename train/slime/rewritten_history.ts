/**
 * Models whose chat template takes thoughts out of the history once the user speaks again. Training keeps every token
 * as it was sampled, so only a server that renders each turn anew shows them something else.
 */

import type { SlimeConfig } from "./slime_schema.ts";

/** What it means, as the end of a sentence. */
export const REWRITTEN_HISTORY =
  "it trains on conversations that keep them, and behind a chat API sees others";

/** Hybrid Qwen3, by the names of their checkpoints; their Instruct-2507 and Thinking-2507 are none. */
const HYBRIDS =
  /^Qwen3-(?:0\.6B|1\.7B|4B|8B|14B|32B|30B-A3B|235B-A22B)(?:-FP8)?$/;

/** Whether the template is known to do so, by the model's name. */
export function rewritesHistory(
  { name, thinking }: Pick<SlimeConfig["model"], "name" | "thinking">,
): boolean {
  return thinking !== false && HYBRIDS.test(name);
}
