/** Reads recipes by name or path, together with the recipes that they extend. */

import { dirname, isAbsolute, join } from "node:path";
import { ConfigError } from "../env/errors.ts";
import { configSchema } from "../train/config/config_schema.ts";
import { extendsOf, type Recipe, recipeValue } from "../train/config/recipe.ts";
import { readTextIfThere } from "../train/runs/storage.ts";
import { isSlimeRecipe } from "../train/slime/slime_config.ts";

/**
 * Reads a recipe in `train/recipes` by its name, or a YAML file by its path. A YAML file without the key `extends`
 * extends the default recipe for its data, unless it is a slime recipe.
 * @throws {ConfigError} If the recipe does not exist, a file is not YAML, or recipes extend each other in a cycle.
 */
export async function readRecipe(given: string): Promise<Recipe> {
  return await readChain(given, []);
}

/**
 * Reads a recipe with {@linkcode readRecipe}, and checks that it is a slime recipe.
 * @throws {ConfigError} If the recipe does not exist, is damaged or is not a slime recipe.
 */
export async function readSlimeRecipe(given: string): Promise<Recipe> {
  const recipe = await readRecipe(given);
  if (isSlimeRecipe(recipe)) return recipe;
  throw new ConfigError(`"${recipe.name}" is not a slime recipe`, {
    hint: "pass a slime recipe, such as --recipe qwen3-4b",
  });
}

/**
 * Reads a recipe and the recipes that it extends.
 * @param chain The path of `extends` that led to this recipe: the name of the requested recipe, then the name of the
 * recipe that it extends, and so on. It is used to detect cycles.
 */
async function readChain(
  given: string,
  chain: readonly string[],
): Promise<Recipe> {
  const isName = /^[\w.-]+$/.test(given) && !/\.ya?ml$/.test(given);
  const name = isName ? `${given}.yaml` : given;
  if (chain.includes(name)) {
    const [first, ...others] = chain.slice(chain.indexOf(name));
    const cycle = [first, ...others, name].join(" extends ");
    throw new ConfigError(
      others.length === 0
        ? `The recipe "${name}" extends itself`
        : `Recipes extend each other in a cycle: ${cycle}`,
      {
        hint: `remove the key extends from ${
          others.length === 0 ? "it" : "one of them"
        }`,
      },
    );
  }
  const url = new URL(`../train/recipes/${given}.yaml`, import.meta.url);
  const text = await readTextIfThere(isName ? url : given);
  if (text === undefined) {
    const child = chain.at(-1);
    const by = child === undefined ? "" : `, which "${child}" extends`;
    const names = (await recipeNames()).map((one) => `"${one}"`).join(", ");
    throw new ConfigError(`There is no recipe "${given}"${by}`, {
      hint: child === undefined
        ? `pass the path of a YAML file, or one of ${names}`
        : `set extends in "${child}" to the path of a YAML file, or to one of ${names}`,
    });
  }
  const file = { name, text };
  const parent = extendsOf(file) ??
    (isName ? undefined : await defaultOf(file));
  if (parent === undefined || extendsOf(file) === null) return file;
  const isPath = /\.ya?ml$/.test(parent) && !isAbsolute(parent);
  const path = isPath ? join(dirname(given), parent) : parent;
  return { ...file, base: await readChain(path, [...chain, name]) };
}

/**
 * Returns the name of the recipe that a file extends by default. Returns `undefined` for a slime recipe, which needs
 * none because the defaults in slime's schema are complete.
 */
async function defaultOf(file: Recipe): Promise<string | undefined> {
  if (recipeValue(file, ["trainer"]) === "slime") return undefined;
  return await defaultRecipe({
    source: recipeValue(file, ["data", "source"]),
    domain: recipeValue(file, ["data", "domain"]),
  });
}

/**
 * Returns the name of the default recipe for a source of tasks and a domain, such as `tau-retail`. If no recipe has a
 * matching name, returns `default`.
 */
export async function defaultRecipe(
  { source, domain = configSchema.parse({}).data.domain }: {
    readonly source: unknown;
    readonly domain?: unknown;
  },
): Promise<string> {
  const isGenerated = source === undefined || source === "generated";
  const own = isGenerated
    ? String(domain).split(".").at(-1) ?? ""
    : source === "tau-bench"
    ? `tau-${domain}`
    : String(source);
  return (await recipeNames()).includes(own) ? own : "default";
}

/** Returns the names of the recipes in `train/recipes`. */
export async function recipeNames(): Promise<string[]> {
  const dir = new URL("../train/recipes/", import.meta.url);
  const files = await Array.fromAsync(Deno.readDir(dir));
  return files.map(({ name }) => name.replace(/\.yaml$/, "")).sort();
}
