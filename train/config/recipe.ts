/**
 * Recipes: a YAML file of any part of a config, and the recipe that it extends. What a file leaves out is as there.
 *
 * ```yaml
 * extends: default   # the default of its kind where it is left out; null for the schema's defaults alone
 * rl: { steps: 40 }
 * ```
 */

import { ConfigError } from "../../env/errors.ts";
import { Yaml, type YamlFile } from "./yaml_file.ts";

/** A recipe as read from disk. */
export interface Recipe extends YamlFile {
  /** What it extends: that recipe's keys hold where it has none of its own. */
  readonly base?: Recipe | undefined;
}

/** The values of a file, by section. */
export type RecipeValues = Record<string, unknown>;

/** A recipe with those it extends, parsed. */
export class RecipeLayers {
  readonly #layers: readonly { yaml: Yaml; values: RecipeValues }[];

  /**
   * @param rename Called for the values of each file before they are merged.
   * @throws {ConfigError} If a file is not YAML or no map of sections.
   */
  constructor(recipe: Recipe, rename: (values: RecipeValues) => void) {
    this.#layers = chainOf(recipe).map((file) => {
      const yaml = new Yaml(file, "the recipe");
      const values = { ...valuesOf(yaml) };
      delete values["extends"];
      rename(values);
      return { yaml, values };
    });
  }

  /** All values, the recipe's own over those of what it extends. */
  merged(): RecipeValues {
    return this.#layers.map(({ values }) => values)
      .reduceRight((base, own) => mergeSections(base, own), {});
  }

  /** Whether the recipe or one that it extends has a key of one of these names. */
  has(paths: readonly (readonly string[])[]): boolean {
    return this.#layers.some(({ yaml }) => paths.some((one) => yaml.has(one)));
  }

  /** `recipe.yaml:12`: where a key is, or the last section on the way to it; the name alone where it is nowhere. */
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
 * What a recipe says that it extends: `undefined` where it says nothing, `null` for nothing at all.
 * @throws {ConfigError} If the file cannot be parsed, or `extends` is no text.
 */
export function extendsOf(file: YamlFile): string | null | undefined {
  const yaml = new Yaml(file, "the recipe");
  const given = valuesOf(yaml)["extends"];
  if (given === undefined || given === null || typeof given === "string") {
    return given;
  }
  throw new ConfigError(
    `${file.name}:${yaml.lineOf(["extends"])}: extends has ${
      JSON.stringify(given)
    }; expected the name of a recipe or the path of a YAML file`,
  );
}

/**
 * A value that decides of which kind a recipe is, from the first file of its chain that has it.
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
    `${name}: a recipe is a YAML map of sections, as in "rl: { steps: 40 }"`,
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

/** Whether a value is a map. */
export function isSection(value: unknown): value is RecipeValues {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
