/** The flags of `deno task convert`, and what they and a recipe make of each other. */

import { z } from "zod";
import { ConfigError } from "../env/errors.ts";
import { parseSet } from "../train/config/config.ts";
import type { ConversionRequest } from "../train/slime/checkpoint/run_conversion.ts";
import { readHosts, readThisHost } from "../train/slime/hosts/hosts_file.ts";
import { isDenseModel } from "../train/slime/model_shapes.ts";
import { isSlimeRecipe, resolveSlime } from "../train/slime/slime_config.ts";
import { fromCaller, recipeFile } from "./_caller_paths.ts";
import { readRecipe } from "./_recipes.ts";
import { hostsFlag } from "./_shared_flags.ts";

const directory = z.string().regex(/^[^-]/, "a path that begins with no dash");

/** All flags of the task. */
export const convertFlags = z.object({
  from: directory.optional().meta({
    description:
      "What to convert or to look at: a model of Hugging Face's, or a checkpoint of Megatron's (default: the recipe's model.directory)",
    value: "DIR",
  }),
  to: directory.optional().meta({
    description:
      "Where the result shall be, or with --verify what is compared (default: the recipe's model.reference)",
    value: "DIR",
  }),
  verify: z.boolean().default(false).meta({
    description:
      "Convert nothing: compare --from with --to tensor by tensor, or look at --from alone",
  }),
  recipe: z.string().optional().meta({
    description:
      "A recipe of slime's: its model, paths and directories; without one the model is what config.json says",
    value: "NAME|FILE",
    isPath: recipeFile,
  }),
  set: z.array(z.string()).default([]).meta({
    description: "Set a key of the recipe, as paths.slime; may be repeated",
    value: "KEY=VALUE",
  }),
  origin: directory.optional().meta({
    description:
      "Back from Megatron's: the model that was trained, for config and tokenizer (default: the recipe's model.directory)",
    value: "DIR",
  }),
  gpus: z.int().min(1).optional().meta({
    description: "GPUs that share the conversion (default: all that are there)",
  }),
  skipVerify: z.boolean().default(false).meta({
    description: "Believe the converter",
  }),
  force: z.boolean().default(false).meta({
    description: "Replace a --to that is there and differs",
  }),
  host: z.string().optional().meta({
    description: "Do it on a host of hosts.yaml",
    value: "NAME",
  }),
  hosts: hostsFlag,
  dryRun: z.boolean().default(false).meta({
    description: "Look what is there, print the commands and run none",
  }),
});

/** As read from the command line. */
export type ConvertFlags = z.infer<typeof convertFlags>;

/** With the paths of this machine as the caller means them; those of a host are the host's. */
function withCallersPaths(flags: ConvertFlags): ConvertFlags {
  const { from, to, origin } = flags;
  const paths = Object.entries({ from, to, origin })
    .flatMap(([key, path]) =>
      path === undefined ? [] : [[key, fromCaller(path)]]
    );
  return { ...flags, ...Object.fromEntries(paths) };
}

/** The request, the recipe filled in. @throws {ConfigError} For what is missing or does not fit. */
export async function convertRequest(
  given: ConvertFlags,
): Promise<ConversionRequest> {
  const flags = given.host === undefined ? withCallersPaths(given) : given;
  const recipe = flags.recipe === undefined
    ? { name: "the defaults", text: "trainer: slime" }
    : await readRecipe(flags.recipe);
  if (!isSlimeRecipe(recipe)) {
    throw new ConfigError(
      `${recipe.name} trains on this machine and has no checkpoint of slime's`,
      { hint: "name a recipe of slime, as qwen3-4b" },
    );
  }
  const { config } = resolveSlime(recipe, flags.set.map(parseSet));
  const { model, paths } = config;
  const isRecipe = flags.recipe !== undefined;
  const from = flags.from ?? (isRecipe ? model.directory : undefined);
  if (from === undefined) {
    throw new ConfigError(
      "Say what to convert or to look at by --from DIR, or name a recipe by --recipe",
      { hint: 'see "deno task convert --help"' },
    );
  }
  const reference = isRecipe && flags.from === undefined
    ? model.reference ?? undefined
    : undefined;
  const hosts = flags.host === undefined ? [] : [flags.host];
  return {
    from,
    absentHint: isRecipe && flags.from === undefined
      ? `it is the recipe's model.directory: fetch the model by "deno task setup --recipe ${flags.recipe}", or say where it is by --from DIR or --set model.directory=DIR`
      : undefined,
    to: flags.to ?? reference,
    origin: flags.origin ?? (isRecipe ? model.directory : undefined),
    // Of other models, what config.json says.
    model: isRecipe && model.shape === null && isDenseModel(model.name)
      ? model.name
      : undefined,
    paths,
    host: (await readHosts(flags.hosts, hosts))[0],
    here: await readThisHost(flags.hosts),
    gpus: flags.gpus,
    force: flags.force,
    verify: !flags.skipVerify,
  };
}
