/** The JSON Schema of recipes, which editors use to complete, describe and validate keys. */

import { z } from "zod";

/** Metadata of keys that only taulab uses (config_flags.ts, slime_schema.ts) and that JSON Schema does not have. */
const OWN_NOTES = ["cli", "mayChange", "flag", "choices"];

/** Returns the schema of a recipe, in which every key of a config is optional. */
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

/** Returns the schema of recipes for `train`: slime's if `trainer` is `slime`, otherwise the CPU trainer's. */
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

/** Returns the registered names; a domain is also listed without its benchmark. */
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
