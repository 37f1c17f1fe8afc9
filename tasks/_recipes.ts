/** Recipes by name or path, with those that they extend. */

import { dirname, isAbsolute, join } from "node:path";
import { ConfigError } from "../env/errors.ts";
import { configSchema } from "../train/config/config_schema.ts";
import { extendsOf, type Recipe, recipeValue } from "../train/config/recipe.ts";
import { readTextIfThere } from "../train/runs/storage.ts";

/**
 * Reads one of `train/recipes` by its name, or a YAML file by its path. A file that does not say what it extends
 * extends the default of its kind.
 * @throws {ConfigError} If there is none, a file is not YAML, or recipes extend each other in a circle.
 */
export async function readRecipe(given: string): Promise<Recipe> {
  return await readChain(given, []);
}

/** @param chain The recipes that extend this one, the first the one that was asked for. */
async function readChain(
  given: string,
  chain: readonly string[],
): Promise<Recipe> {
  const isName = /^[\w.-]+$/.test(given) && !/\.ya?ml$/.test(given);
  const name = isName ? `${given}.yaml` : given;
  if (chain.includes(name)) {
    const circle = [...chain, name].join(" extends ");
    throw new ConfigError(`Recipes extend each other: ${circle}`, {
      hint: `leave extends out in one of them`,
    });
  }
  const url = new URL(`../train/recipes/${given}.yaml`, import.meta.url);
  const text = await readTextIfThere(isName ? url : given);
  if (text === undefined) {
    const by = chain.length === 0 ? "" : `, which ${chain.at(-1)} extends`;
    throw new ConfigError(`There is no recipe "${given}"${by}`, {
      hint: `give the path of a YAML file, or one of ${
        (await recipeNames()).map((one) => `"${one}"`).join(", ")
      }`,
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

/** The recipe that a file of its kind extends by default; of slime the schema's defaults are what its example has. */
async function defaultOf(file: Recipe): Promise<string | undefined> {
  if (recipeValue(file, ["trainer"]) === "slime") return undefined;
  return await defaultRecipe({
    source: recipeValue(file, ["data", "source"]),
    domain: recipeValue(file, ["data", "domain"]),
  });
}

/** The recipe of a source of tasks and, where there is one, of their domain. */
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

/** The names of train/recipes. */
export async function recipeNames(): Promise<string[]> {
  const dir = new URL("../train/recipes/", import.meta.url);
  const files = await Array.fromAsync(Deno.readDir(dir));
  return files.map(({ name }) => name.replace(/\.yaml$/, "")).sort();
}
