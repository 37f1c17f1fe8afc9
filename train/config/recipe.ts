/**
 * Recipes: YAML files with any part of a config. Missing keys come from the recipe that a file extends.
 *
 * ```yaml
 * extends: default   # if missing: the default recipe for its data; null: only the schema's defaults
 * rl: { steps: 40 }
 * ```
 */

import { ConfigError } from "../../env/errors.ts";
import { Yaml, type YamlFile } from "./yaml_file.ts";

/** A recipe file and the recipe that it extends. */
export interface Recipe extends YamlFile {
  /** The recipe that this recipe extends, which supplies the missing keys. */
  readonly base?: Recipe | undefined;
}

/** The values of a recipe, keyed by section. */
export type RecipeValues = Record<string, unknown>;

/** A parsed recipe with the recipes that it extends. */
export class RecipeLayers {
  readonly #layers: readonly { yaml: Yaml; values: RecipeValues }[];

  /**
   * Parses a recipe and the recipes that it extends.
   * @param rename Renames keys in the values of a file. It is called for each file, with the file's name, before the
   * values are merged.
   * @throws {ConfigError} If a file is not YAML or not a map of sections.
   */
  constructor(
    recipe: Recipe,
    rename: (values: RecipeValues, name: string) => void,
  ) {
    this.#layers = chainOf(recipe).map((file) => {
      const yaml = new Yaml(file, "the recipe");
      const values = { ...valuesOf(yaml) };
      delete values["extends"];
      rename(values, file.name);
      return { yaml, values };
    });
  }

  /** Returns the merged values. The values of a recipe override the values of the recipe that it extends. */
  merged(): RecipeValues {
    return this.#layers.map(({ values }) => values)
      .reduceRight((base, own) => mergeSections(base, own), {});
  }

  /** Checks whether the recipe, or any recipe that it extends, has one of these keys. */
  has(paths: readonly (readonly string[])[]): boolean {
    return this.#layers.some(({ yaml }) => paths.some((one) => yaml.has(one)));
  }

  /**
   * Returns where a key, given by its current and old paths, or its innermost existing section is defined, such as
   * `recipe.yaml:12`. If neither exists, returns only the file name.
   */
  placeOf(paths: readonly (readonly string[])[]): string {
    const { yaml } =
      this.#layers.find(({ yaml }) => paths.some((one) => yaml.has(one))) ??
        this.#layers[0]!;
    const [line] = paths.map((one) => yaml.lineOf(one))
      .filter((line) => line !== undefined);
    return line === undefined ? yaml.name : `${yaml.name}:${line}`;
  }
}

/**
 * Returns the `extends` key of a recipe: `undefined` if missing, `null` if it extends nothing.
 * @throws {ConfigError} If the file cannot be parsed, or `extends` is neither a string nor `null`.
 */
export function extendsOf(file: YamlFile): string | null | undefined {
  const yaml = new Yaml(file, "the recipe");
  const given = valuesOf(yaml)["extends"];
  if (given === undefined || given === null || typeof given === "string") {
    return given;
  }
  throw new ConfigError(
    `${file.name}:${
      yaml.lineOf(["extends"])
    }: extends must be the name of a recipe or the path of a YAML file, but it is ${
      JSON.stringify(given)
    }`,
  );
}

/**
 * Returns the value at a path, before the config is validated. Used for keys that determine a recipe's kind, such as
 * `trainer`.
 * @throws {ConfigError} If a file cannot be parsed.
 */
export function recipeValue(recipe: Recipe, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (node, key) => isSection(node) ? node[key] : undefined,
    new RecipeLayers(recipe, () => {}).merged(),
  );
}

function chainOf(recipe: Recipe): Recipe[] {
  return [recipe, ...recipe.base === undefined ? [] : chainOf(recipe.base)];
}

function valuesOf({ name, value }: Yaml): RecipeValues {
  if (value === null || value === undefined) return {};
  if (isSection(value)) return value;
  throw new ConfigError(
    `${name}: a recipe must be a YAML map of sections, as in "rl: { steps: 40 }"`,
  );
}

function mergeSections(base: RecipeValues, own: RecipeValues): RecipeValues {
  const merged = { ...base };
  for (const [key, value] of Object.entries(own)) {
    const under = base[key];
    merged[key] = isSection(under) && isSection(value)
      ? mergeSections(under, value)
      : value;
  }
  return merged;
}

/** Checks whether a value is a map. */
export function isSection(value: unknown): value is RecipeValues {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
