/**
 * Reads the tokenizer of a run. `tokenizer.json` and `tokenizer_config.json` are stored in one file, so neither can
 * exist without the other.
 */

import { join } from "node:path";
import { RunDirError } from "../../env/errors.ts";
import type { TokenizerFiles } from "../../env/tokens/tokenizer.ts";
import { sealOfJson } from "../runs/seal.ts";
import { readTextIfThere } from "../runs/storage.ts";
import { parseJson } from "../runs/versions.ts";

/** The name of the tokenizer's file in the run dir. */
export const TOKENIZER = "tokenizer.json";

/**
 * Reads the tokenizer of the run at `path`. Returns `undefined` if it has none yet.
 * @param options.hint The hint of the error for a damaged file.
 * @throws {RunDirError} If it is damaged.
 */
export async function readRunTokenizer(
  path: string,
  { hint }: { hint: string },
): Promise<TokenizerFiles | undefined> {
  const file = join(path, TOKENIZER);
  const text = await readTextIfThere(file);
  if (text === undefined) return undefined;
  const json = parseJson(text);
  const damage = typeof json !== "object" || json === null
    ? "it is not JSON"
    : sealOfJson(json) === "broken"
    ? "its contents have changed since the run wrote it"
    : undefined;
  if (damage === undefined) {
    const { sha256: _, ...files } = json as TokenizerFiles & {
      readonly sha256?: string;
    };
    return files;
  }
  throw new RunDirError(`"${file}" is damaged: ${damage}`, { hint });
}
