/** Writes slime recipes with a generated world, scripted users and the tokenizer of a tiny policy. */

import { join } from "node:path";
import type { TokenizerFiles } from "../../env/tokens/tokenizer.ts";
import { openDataset } from "../../train/config/open_dataset.ts";
import { createCpuLab } from "../../train/cpu/cpu_lab.ts";
import { TINY_CONFIG } from "./policy_run.ts";

/** Returns the tokenizer files of the tiny policy. */
export async function tinyTokenizerFiles(): Promise<TokenizerFiles> {
  const dataset = await openDataset(TINY_CONFIG.data);
  await using lab = await createCpuLab({ config: TINY_CONFIG, dataset });
  return lab.tokenizer;
}

/** Writes a tokenizer as a model directory in Hugging Face's layout. */
export async function writeModelDir(
  dir: string,
  files: TokenizerFiles,
): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
  const write = (name: string, value: unknown) =>
    Deno.writeTextFile(join(dir, name), JSON.stringify(value));
  await write("tokenizer.json", files.tokenizer);
  await write("tokenizer_config.json", files.config);
}

/**
 * Writes a slime recipe whose model is in the directory `model`. The sections in `more` are added to the defaults or
 * replace them.
 * @returns The path of the recipe.
 */
export async function writeSlimeRecipe(
  dir: string,
  { model, ...more }: { model: string } & Record<string, unknown>,
): Promise<string> {
  const path = join(dir, "recipe.yaml");
  const recipe = {
    trainer: "slime",
    data: {
      source: "generated",
      generated: TINY_CONFIG.data.generated,
    },
    user: { strategy: "scripted" },
    prompt: "none",
    model: { directory: model },
    rollout: { maxResponseLen: 16, maxContextLen: 2048, maxTurns: 4 },
    ...more,
  };
  await Deno.writeTextFile(path, JSON.stringify(recipe));
  return path;
}
