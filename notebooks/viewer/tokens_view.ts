/**
 * Creates views of an episode's tokens: the ids, loss mask and log probabilities used in training, and the text of each
 * token.
 */

import { createTokenizer, type Tokenizer } from "../../env/tokens/tokenizer.ts";
import type { Trajectory } from "../../env/tokens/trajectory.ts";
import { readRunTokenizer } from "../../train/cpu/run_tokenizer.ts";
import type { TokensView } from "./protocol.ts";

/**
 * Opens the tokenizer of a run. Returns `null` if the run has none.
 * @throws {RunDirError} If the tokenizer is damaged.
 */
export async function openTokenizer(path: string): Promise<Tokenizer | null> {
  const files = await readRunTokenizer(path, {
    hint: "restore it from a backup of the run",
  });
  return files === undefined ? null : createTokenizer(files, path);
}

/** Returns the view of a trajectory's tokens. */
export function tokensView(
  trajectory: Trajectory,
  tokenizer: Tokenizer | null,
): TokensView {
  const { ids, lossMask, logprobs } = trajectory;
  return {
    ids,
    mask: lossMask,
    logprobs: logprobs.map((value) => Math.round(value * 1e4) / 1e4),
    texts: tokenizer === null ? null : textsOf(ids, tokenizer),
    note: tokenizer === null
      ? "The run has no tokenizer, so token ids are shown instead of texts"
      : null,
  };
}

function textsOf(ids: readonly number[], tokenizer: Tokenizer): string[] {
  const known = new Map<number, string>();
  return ids.map((id) => {
    const text = known.get(id) ?? tokenizer.decode([id]);
    known.set(id, text);
    return text;
  });
}
