/** The JSON Schema of recipes, for editors: completion, words and checks as they are typed. */

import { z } from "zod";

/** What keys note for taulab itself (config_flags.ts, slime_schema.ts), which JSON Schema has no words for. */
const OWN_NOTES = ["cli", "mayChange", "flag", "choices"];

/** The schema of a recipe: any part of a config. */
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

/** The schema of recipes for `train`: of slime's, where they say so, else of those that train on this machine. */
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

/** What is registered; a domain may be named without its benchmark. */
function namesOf(registered: readonly string[]): string[] {
  const bare = registered.map((name) => name.split(".").at(-1) ?? name);
  return [...new Set([...registered, ...bare])];
}

/** A recipe may extend another. */
function extending(
  { properties, ...schema }: Record<string, unknown>,
): Record<string, unknown> {
  const description =
    "The recipe whose keys hold where this one has none; null: the schema's defaults alone";
  return {
    ...schema,
    properties: {
      extends: { type: ["string", "null"], description },
      ...properties as Record<string, unknown>,
    },
  };
}
