/**
 * Resolves a run's config: merges the defaults, the recipe, `--set` and the flags. Each source overrides the previous
 * ones.
 *
 * One schema defines the type, the defaults, the error messages and the help. A recipe is a YAML file with any part of
 * the config. The resolved, frozen config is saved in the run dir and is enough to repeat the run.
 */

import { stringify } from "yaml";
import type { z } from "zod";
import { ConfigError } from "../../env/errors.ts";
import { explainIssue, nearest, suggestion } from "../../env/schema_issue.ts";
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

/** A value that overrides the recipe. */
export interface Override {
  /** The path of the key, such as `["rl", "steps"]`. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** The origin of the value, for error messages: `--seed`, `--set rl.steps=4`. */
  readonly origin: string;
}

/**
 * Merges the defaults, a recipe with the recipes it extends, and overrides, in this order; later values win.
 * @throws {ConfigError} If the YAML is malformed, a key is unknown or a value is wrong. The message names the line and,
 * for an unknown key, the nearest known key.
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

/** A partial config, for scripts. Missing keys have their default values. */
export type ConfigInput = z.input<typeof configSchema>;

/**
 * Makes a config from plain settings, for scripts.
 * @throws {ConfigError} If a key is unknown or a value is wrong. For an unknown key, the message names the nearest
 * known key.
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
  const origin = "settings";
  const overrides = Object.entries(settings)
    .map(([key, value]) => ({ path: [key], value, origin }));
  return resolveConfig({ name: origin, text: "" }, overrides);
}

/** Resolves a config as {@linkcode resolveConfig} does, but with the given schema and without renaming old keys. */
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
    /** Renames keys that had other names in earlier versions. */
    readonly rename?: (values: RecipeValues) => void;
  },
): DeepReadonly<z.infer<S>> {
  const layers = new RecipeLayers(recipe, (values, name) => {
    if (namesTwice(values)) {
      throw new ConfigError(
        `${name}: both "rl" and "grpo", its old name, are set`,
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
 * Parses a `--set` argument such as `rl.steps=4`. The value is YAML (`4`, `true`, `null`, `text`).
 * @throws {ConfigError} If the key or the `=` is missing, or the value is not YAML.
 */
export function parseSet(text: string): Override {
  const at = text.indexOf("=");
  if (at < 1) {
    throw new ConfigError(
      `--set "${text}" is not of the form KEY=VALUE`,
      { hint: 'pass a key and its value, with "=" between them' },
    );
  }
  const origin = `--set ${text}`;
  const { value } = new Yaml(
    { name: origin, text: text.slice(at + 1) },
    "the value",
  );
  return { path: text.slice(0, at).split("."), value, origin };
}

/** Formats a config as YAML, in the form stored in a run dir. */
export function formatConfig(config: object): string {
  return stringify(config);
}

/** A config key, as `--help` lists it. */
export interface ConfigKey {
  /** The path of the key, such as `rl.steps`. */
  readonly key: string;
  readonly value: unknown;
  readonly description: string;
}

/**
 * Returns the keys of a schema in order, each with its description and its value in a config. By default, the config
 * has the schema's default values.
 */
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

/** A key whose value differs between two configs: `there` in the first, `here` in the second. */
export interface ConfigDifference {
  /** The path of the key, such as `rl.groupSize`. */
  readonly key: string;
  readonly there: unknown;
  readonly here: unknown;
}

/** Returns the text of a differing value for an error message. */
export function valueText(value: unknown): string {
  if (value === undefined) return "not set";
  return value === "" ? '""' : String(value);
}

/**
 * Returns the keys of the second config whose values differ from the first config's. Keys that only the first config
 * has are ignored.
 */
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

/** Formats an issue: the value's origin, its key, and what is wrong with it. */
function explain(issue: z.core.$ZodIssue, sources: Sources): string {
  const at = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const path = [...at, key];
    const known = knownKeys(sources.schema, at);
    const meant = [...at, nearest(key, known)].join(".");
    return `${origin(path, sources)}: unknown key "${path.join(".")}"${
      // A key that resembles none of the known keys is not a misspelling.
      suggestion(key, known) === "" ? "" : `; did you mean "${meant}"?`}`;
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

/** Returns where a value comes from: `recipe.yaml:12`, or the flag that set it. */
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
