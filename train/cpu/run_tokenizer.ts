/**
 * The tokenizer of a run dir: `tokenizer.json` and `tokenizer_config.json` in one, so that there is no half
 * of it.
 */

import { join } from "node:path";
import { RunDirError } from "../../env/errors.ts";
import type { TokenizerFiles } from "../../env/tokens/tokenizer.ts";
import { sealOfJson } from "../runs/seal.ts";
import { readTextIfThere } from "../runs/storage.ts";
import { parseJson } from "../runs/versions.ts";

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
  const json = parseJson(text);
  const damage = typeof json !== "object" || json === null
    ? "it is not JSON"
    : sealOfJson(json) === "broken"
    ? "it is not as the run wrote it"
    : undefined;
  if (damage === undefined) {
    const { sha256: _, ...files } = json as TokenizerFiles & {
      readonly sha256?: string;
    };
    return files;
  }
  throw new RunDirError(`"${file}" is damaged: ${damage}`, { hint: wayOut });
}
