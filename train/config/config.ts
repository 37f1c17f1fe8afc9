/**
 * What a run is made of, as one frozen value: defaults < recipe < `--set` < flags.
 *
 * One schema gives the type, the defaults, the messages and the help; a recipe is a YAML file of any
 * part of it. The resolved config is saved in the run dir and is enough to run it again.
 */

import { stringify } from "yaml";
import type { z } from "zod";
import { ConfigError } from "../../env/errors.ts";
import { explainIssue, nearest } from "../../env/schema_issue.ts";
import { knownKeys, objectOf, schemaAt } from "../../env/schema_keys.ts";
import { namesTwice, oldPath, renameOldKeys } from "./old_names.ts";
import {
  type Config,
  configSchema,
  type DeepReadonly,
} from "./config_schema.ts";
import { type Recipe, RecipeLayers, type RecipeValues } from "./recipe.ts";
import { Yaml } from "./yaml_file.ts";

export { type Config, configSchema, type Recipe };

/** One value that is set over the recipe. */
export interface Override {
  /** `["rl", "steps"]`. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** What to blame in a message: `--seed`, `--set rl.steps=4`. */
  readonly origin: string;
}

/**
 * Merges defaults, a recipe with what it extends, and what is set over it, the later the stronger.
 * @throws {ConfigError} If YAML is malformed, a key unknown (names the nearest) or a value wrong; with the line.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { resolveConfig } from "./config.ts";
 * const config = resolveConfig({ name: "mine.yaml", text: "rl: { steps: 3 }" });
 * equal(config.rl.steps, 3);
 * equal(config.seed, 1);
 * ```
 */
export function resolveConfig(
  recipe: Recipe,
  overrides: readonly Override[] = [],
): Config {
  return resolve(configSchema, { recipe, overrides, rename: renameOldKeys });
}

/** Settings as a script has them: any part of a config; what is left out has its default. */
export type ConfigInput = z.input<typeof configSchema>;

/**
 * A config of plain settings, for scripts.
 * @throws {ConfigError} If a key is unknown (names the nearest) or a value wrong.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { makeConfig } from "./config.ts";
 *
 * const config = makeConfig({ seed: 7, rl: { steps: 3 } });
 * equal(config.rl.groupSize, makeConfig().rl.groupSize);
 * ```
 */
export function makeConfig(settings: ConfigInput = {}): Config {
  const origin = "the settings";
  const overrides = Object.entries(settings)
    .map(([key, value]) => ({ path: [key], value, origin }));
  return resolveConfig({ name: origin, text: "" }, overrides);
}

/** As {@linkcode resolveConfig}, for another schema of recipes. */
export function resolveBy<S extends z.ZodObject>(
  schema: S,
  recipe: Recipe,
  overrides: readonly Override[] = [],
): DeepReadonly<z.infer<S>> {
  return resolve(schema, { recipe, overrides });
}

function resolve<S extends z.ZodObject>(
  schema: S,
  { recipe, overrides, rename = () => {} }: {
    readonly recipe: Recipe;
    readonly overrides: readonly Override[];
    /** Renames what had another name before. */
    readonly rename?: (values: RecipeValues) => void;
  },
): DeepReadonly<z.infer<S>> {
  const layers = new RecipeLayers(recipe, (values) => {
    if (namesTwice(values)) {
      throw new ConfigError(
        `${recipe.name}: "grpo" is the old name of "rl", and both are there`,
        { hint: 'move the keys of "grpo" to "rl"' },
      );
    }
    rename(values);
  });
  const merged = layers.merged();
  for (const override of overrides) {
    setPath(merged, override);
    rename(merged);
  }
  const result = schema.safeParse(merged);
  if (result.success) {
    deepFreeze(result.data);
    return result.data as DeepReadonly<z.infer<S>>;
  }
  const issue = result.error.issues[0]!;
  throw new ConfigError(
    explain(issue, { schema, merged, layers, overrides }),
  );
}

/**
 * Reads `--set rl.steps=4`; the value is YAML (`4`, `true`, `null`, `text`).
 * @throws {ConfigError} If there is no `=` or the value is not YAML.
 */
export function parseSet(text: string): Override {
  const at = text.indexOf("=");
  if (at < 1) {
    throw new ConfigError(
      `--set ${text}: write a key and its value, as in --set rl.steps=40`,
    );
  }
  const origin = `--set ${text}`;
  const { value } = new Yaml(
    { name: origin, text: text.slice(at + 1) },
    "the value",
  );
  return { path: text.slice(0, at).split("."), value, origin };
}

/** The config as YAML, as a run dir keeps it. */
export function formatConfig(config: object): string {
  return stringify(config);
}

/** One key of the recipe, for help. */
export interface ConfigKey {
  /** `rl.steps`. */
  readonly key: string;
  readonly value: unknown;
  readonly description: string;
}

/** Every key of a schema with its description and its value in a config, by default the schema's defaults, in order. */
export function configKeys(
  of: z.ZodObject = configSchema,
  config: object = of.parse({}),
): ConfigKey[] {
  const out: ConfigKey[] = [];
  function walk(
    schema: z.ZodObject,
    value: Record<string, unknown>,
    path: string[],
  ) {
    for (const [name, field] of Object.entries(schema.shape)) {
      const inner = objectOf(field as z.ZodType);
      const here = [...path, name];
      if (inner) walk(inner, value[name] as Record<string, unknown>, here);
      else {
        const description = describe(field as z.ZodType);
        out.push({ key: here.join("."), value: value[name], description });
      }
    }
  }
  walk(of, config as Record<string, unknown>, []);
  return out;
}

/** A key on which two configs differ. */
export interface ConfigDifference {
  /** `rl.groupSize`. */
  readonly key: string;
  readonly there: unknown;
  readonly here: unknown;
}

/** Where two configs differ. */
export function configDifferences(
  there: object,
  here: object,
): ConfigDifference[] {
  const flatThere = new Map(flatten(there));
  return flatten(here)
    .filter(([key, value]) => flatThere.get(key) !== value)
    .map(([key, value]) => ({ key, there: flatThere.get(key), here: value }));
}

function flatten(value: object, path: string[] = []): [string, unknown][] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = [...path, key];
    return typeof inner === "object" && inner !== null
      ? flatten(inner, here)
      : [[here.join("."), inner] as [string, unknown]];
  });
}

function setPath(root: Record<string, unknown>, override: Override): void {
  let node = root;
  for (const key of override.path.slice(0, -1)) {
    const inner = node[key];
    const next = typeof inner === "object" && inner !== null ? inner : {};
    node[key] = next;
    node = next as Record<string, unknown>;
  }
  node[override.path.at(-1) ?? ""] = override.value;
}

interface Sources {
  readonly schema: z.ZodObject;
  readonly merged: RecipeValues;
  readonly layers: RecipeLayers;
  readonly overrides: readonly Override[];
}

/** What is wrong with a value, where it comes from, and what the key is. */
function explain(issue: z.core.$ZodIssue, sources: Sources): string {
  const at = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const path = [...at, key];
    const best = nearest(key, knownKeys(sources.schema, at)) ?? "";
    const meant = [...at, best].join(".");
    return `${origin(path, sources)}: unknown key "${
      path.join(".")
    }"; the nearest is "${meant}"`;
  }
  const value = at.reduce<unknown>(
    (node, key) => (node as Record<string, unknown> | undefined)?.[key],
    sources.merged,
  );
  const description = describe(schemaAt(sources.schema, at));
  const means = description === "" ? "" : ` (${description})`;
  return `${origin(at, sources)}: ${at.join(".")}${means}: ${
    explainIssue(issue, value)
  }`;
}

/** `recipe.yaml:12`, or the flag that set the value. */
function origin(path: readonly string[], sources: Sources): string {
  const names = [path, oldPath(path)];
  const override = sources.overrides.findLast(({ path: set }) =>
    names.some((one) => set.every((key, i) => one[i] === key))
  );
  if (override) return override.origin;
  const within = sources.overrides.findLast(({ path: set }) =>
    path.every((key, i) => set[i] === key)
  );
  return within && !sources.layers.has(names)
    ? within.origin
    : sources.layers.placeOf(names);
}

function describe(schema: z.ZodType): string {
  return schema.description ?? "";
}

function deepFreeze(value: object): void {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) deepFreeze(inner);
  }
  Object.freeze(value);
}
