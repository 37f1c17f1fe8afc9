/** Defines the flags of `deno task convert`, and derives a request from them and a recipe. */

import { z } from "zod";
import { ConfigError } from "../env/errors.ts";
import { parseSet } from "../train/config/config.ts";
import type { ConversionRequest } from "../train/slime/checkpoint/run_conversion.ts";
import { readHosts, readThisHost } from "../train/slime/hosts/hosts_file.ts";
import { isDenseModel } from "../train/slime/model_shapes.ts";
import { resolveSlime } from "../train/slime/slime_config.ts";
import { fromCaller, recipeFile } from "./_caller_paths.ts";
import { readSlimeRecipe } from "./_recipes.ts";
import { hostsFlag } from "./_shared_flags.ts";

const directory = z.string().regex(
  /^[^-]/,
  "expected a path that does not begin with a dash",
);

/** The flags of `deno task convert`. */
export const convertFlags = z.object({
  from: directory.optional().meta({
    description:
      "Checkpoint to convert or to verify, in Hugging Face's or Megatron's format; default: the recipe's model.directory",
    value: "DIR",
  }),
  to: directory.optional().meta({
    description:
      "Directory of the result, or with --verify the checkpoint to compare with; default: the recipe's model.reference",
    value: "DIR",
  }),
  verify: z.boolean().default(false).meta({
    description:
      "Compare --from with --to tensor by tensor, or check --from alone; nothing is converted",
  }),
  recipe: z.string().optional().meta({
    description:
      "slime recipe with the model, paths and directories: a name in train/recipes, or a YAML file; default: none, and the model's shape comes from config.json",
    value: "NAME|FILE",
    isPath: recipeFile,
  }),
  set: z.array(z.string()).default([]).meta({
    description:
      "Set a key of the recipe, such as paths.slime; may be repeated",
    value: "KEY=VALUE",
  }),
  origin: directory.optional().meta({
    description:
      "When converting from Megatron's format: the original model, which supplies the config and tokenizer; default: the recipe's model.directory",
    value: "DIR",
  }),
  gpus: z.int().min(1).optional().meta({
    description: "Number of GPUs to convert on; default: all",
  }),
  skipVerify: z.boolean().default(false).meta({
    description: "Skip the comparison of the result with its source",
  }),
  force: z.boolean().default(false).meta({
    description:
      "Replace the directory --to if it exists with different contents",
  }),
  host: z.string().optional().meta({
    description: "Run on this host from hosts.yaml; default: this machine",
    value: "NAME",
  }),
  hosts: hostsFlag,
  dryRun: z.boolean().default(false).meta({
    description:
      "Inspect the checkpoints and print the commands; nothing is run",
  }),
});

/** The parsed flags of `deno task convert`. */
export type ConvertFlags = z.infer<typeof convertFlags>;

/** Resolves the paths in flags against the caller's directory. Do not call it if the paths are on a host. */
function withCallersPaths(flags: ConvertFlags): ConvertFlags {
  const { from, to, origin } = flags;
  const paths = Object.entries({ from, to, origin })
    .flatMap(([key, path]) =>
      path === undefined ? [] : [[key, fromCaller(path)]]
    );
  return { ...flags, ...Object.fromEntries(paths) };
}

/**
 * Returns the request for a conversion or a verification. The recipe provides settings that the flags omit.
 * @throws {ConfigError} If the recipe is not a valid slime recipe, no checkpoint is given, or the host is unknown.
 */
export async function convertRequest(
  given: ConvertFlags,
): Promise<ConversionRequest> {
  const flags = given.host === undefined ? withCallersPaths(given) : given;
  const recipe = flags.recipe === undefined
    ? { name: "the defaults", text: "trainer: slime" }
    : await readSlimeRecipe(flags.recipe);
  const { config } = resolveSlime(recipe, flags.set.map(parseSet));
  const { model, paths } = config;
  const isRecipe = flags.recipe !== undefined;
  const from = flags.from ?? (isRecipe ? model.directory : undefined);
  if (from === undefined) {
    throw new ConfigError(
      `No checkpoint to ${flags.verify ? "verify" : "convert"} was given`,
      { hint: "pass --from DIR or --recipe NAME" },
    );
  }
  const reference = isRecipe && flags.from === undefined
    ? model.reference ?? undefined
    : undefined;
  const hosts = flags.host === undefined ? [] : [flags.host];
  return {
    from,
    absentHint: isRecipe && flags.from === undefined
      ? `fetch the recipe's model to its model.directory with "deno task setup --recipe ${flags.recipe}${
        flags.host === undefined ? "" : ` --host ${flags.host}`
      }", or pass --from DIR or --set model.directory=DIR`
      : undefined,
    to: flags.to ?? reference,
    origin: flags.origin ?? (isRecipe ? model.directory : undefined),
    // Other models take their shape from config.json.
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
