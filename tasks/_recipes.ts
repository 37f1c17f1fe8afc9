/** Recipes by name or path. */

import { ConfigError } from "../env/errors.ts";
import type { Recipe } from "../train/config/config.ts";
import { readTextIfThere } from "../train/runs/storage.ts";

/**
 * Reads one of `train/recipes` by its name, or a YAML file by its path.
 * @throws {ConfigError} If there is none.
 */
export async function readRecipe(given: string): Promise<Recipe> {
  const url = new URL(`../train/recipes/${given}.yaml`, import.meta.url);
  const isName = /^[\w.-]+$/.test(given) && !/\.ya?ml$/.test(given);
  const text = await readTextIfThere(isName ? url : given);
  if (text !== undefined) {
    return { name: isName ? `${given}.yaml` : given, text };
  }
  throw new ConfigError(
    `There is no recipe "${given}"`,
    { hint: `give the path of a YAML file, or one of ${await recipeNames()}` },
  );
}

async function recipeNames(): Promise<string> {
  const dir = new URL("../train/recipes/", import.meta.url);
  const names = (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) =>
    `"${name.replace(/\.yaml$/, "")}"`
  );
  return names.sort().join(", ");
}
