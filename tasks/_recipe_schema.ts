/** Generates the JSON Schema of recipes, which editors use to complete, describe and validate keys. */

import { z } from "zod";

/**
 * Metadata of config keys that only taulab uses (config_flags.ts, slime_schema.ts). JSON Schema has no such metadata.
 */
const OWN_NOTES = ["cli", "mayChange", "flag", "choices"];

/** Returns the JSON Schema of a recipe, in which every key of the config is optional. */
export function recipeSchema(
  config: z.ZodType,
  title: string,
): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(config, {
    io: "input",
    target: "draft-7",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      const { choices } = jsonSchema;
      if (typeof choices === "function") jsonSchema.enum = namesOf(choices());
      for (const note of OWN_NOTES) delete jsonSchema[note];
    },
  });
  return { $schema, title, ...schema };
}

/**
 * Returns the JSON Schema of recipes for `train`. If the key `trainer` is `slime`, slime's schema applies; otherwise,
 * the CPU trainer's applies.
 */
export function trainRecipeSchema(
  { own, slime }: { readonly own: z.ZodType; readonly slime: z.ZodType },
): Record<string, unknown> {
  const title = "A recipe of deno task train";
  const { $schema, ...onSlime } = extending(
    recipeSchema(slime, `${title}, with slime`),
  );
  const { $schema: _, ...onThisMachine } = extending(recipeSchema(own, title));
  return {
    $schema,
    title,
    if: { properties: { trainer: { const: "slime" } }, required: ["trainer"] },
    then: onSlime,
    else: onThisMachine,
  };
}

/**
 * Returns the registered names. A domain of a benchmark is listed twice: with the benchmark's name before a dot, and
 * without.
 */
function namesOf(registered: readonly string[]): string[] {
  const bare = registered.map((name) => name.split(".").at(-1) ?? name);
  return [...new Set([...registered, ...bare])];
}

/** Adds the key `extends` to a schema. */
function extending(
  { properties, ...schema }: Record<string, unknown>,
): Record<string, unknown> {
  const description =
    "Recipe that provides the keys that this one lacks; null uses only the schema's defaults";
  return {
    ...schema,
    properties: {
      extends: { type: ["string", "null"], description },
      ...properties as Record<string, unknown>,
    },
  };
}
