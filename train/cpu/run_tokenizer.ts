/**
 * The tokenizer of a run dir: `tokenizer.json` and `tokenizer_config.json` in one, so that there is no half
 * of it.
 */

import { join } from "node:path";
import { RunDirError } from "../../env/errors.ts";
import type { TokenizerFiles } from "../../env/tokens/tokenizer.ts";
import { readTextIfThere } from "../runs/storage.ts";

/** Its name in the run dir. */
export const TOKENIZER = "tokenizer.json";

/**
 * Reads the tokenizer of the run at `path`; `undefined` where none has been written.
 * @param options.wayOut What to do about a damaged one, for the error.
 * @throws {RunDirError} If it is damaged.
 */
export async function readRunTokenizer(
  path: string,
  { wayOut }: { wayOut: string },
): Promise<TokenizerFiles | undefined> {
  const file = join(path, TOKENIZER);
  const text = await readTextIfThere(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RunDirError(
      `"${file}" is damaged: it is not JSON`,
      { cause, hint: wayOut },
    );
  }
}
