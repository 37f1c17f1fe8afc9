/** Defines the flags of `deno task setup`, and derives the options of a setup from them, a recipe and hosts.yaml. */

import { fileURLToPath } from "node:url";
import { z } from "zod";
import { parseSet } from "../train/config/config.ts";
import { THIS_HOST } from "../train/slime/hosts/hosts_file.ts";
import { readPackage } from "../train/slime/setup/package.ts";
import {
  isInContainer,
  setupHosts,
  type SetupOptions,
  setupSettings,
  stepId,
} from "../train/slime/setup/setup_options.ts";
import { STEP_IDS } from "../train/slime/setup/step.ts";
import { resolveSlime } from "../train/slime/slime_config.ts";
import type { SlimeConfig } from "../train/slime/slime_schema.ts";
import { recipeFile } from "./_caller_paths.ts";
import { readSlimeRecipe } from "./_recipes.ts";
import { hostsFlag, setFlag } from "./_shared_flags.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** The flags of `deno task setup`. */
export const setupFlags = z.object({
  recipe: z.string().default("qwen3-4b").meta({
    description:
      "slime recipe to prepare for: a name in train/recipes, or a YAML file",
    value: "NAME|FILE",
    isPath: recipeFile,
  }),
  set: setFlag,
  host: z.array(z.string()).default([]).meta({
    description:
      "GPU hosts: names from hosts.yaml, separated by commas; default: the recipe's, else this machine",
    value: "NAME,...",
  }),
  serve: z.array(z.string()).default([]).meta({
    description:
      'Hosts that serve episodes: names from hosts.yaml, "this" for this machine, or "none"; default: this machine and, unless bridge.services is set, the hosts in bridge.hosts or, if that is empty, the first GPU host',
    value: "NAME,...",
  }),
  hosts: hostsFlag,
  ...setupSettings.shape,
  only: z.array(z.string()).default([]).meta({
    description: `Run only these steps: ${STEP_IDS.join(", ")}`,
    value: "STEP,...",
  }),
  dryRun: z.boolean().default(false).meta({
    description: "Print the commands for each host; nothing is run",
  }),
  check: z.boolean().default(false).meta({
    description:
      "Check which steps are done and change nothing; the exit status is 1 if a step is not done",
  }),
  undo: z.boolean().default(false).meta({
    description:
      "Remove exactly what setup created; with --dry-run, only list it",
  }),
});

/** The parsed flags of `deno task setup`. */
export type SetupFlags = z.infer<typeof setupFlags>;

/**
 * Returns the options of a setup.
 * @throws {ConfigError} If the recipe is not a valid slime recipe, a host or a step is unknown, or settings cannot be
 * used together.
 */
export async function setupOptions(flags: SetupFlags): Promise<SetupOptions> {
  const recipe = await readSlimeRecipe(flags.recipe);
  const { config, model } = resolveSlime(recipe, flags.set.map(parseSet));
  const named = words(flags.host);
  const gpu = named.length > 0 ? named : config.cluster.hosts;
  const asked = words(flags.serve);
  const serve = asked.length > 0 ? asked : servingHosts(config, gpu);
  return {
    ...flags,
    ...{ config, model },
    ...await setupHosts(flags.hosts, { gpu, serve }),
    inContainer: await isInContainer(),
    token: Deno.env.get("HF_TOKEN") || undefined,
    root: ROOT,
    taulab: await readPackage(ROOT),
    only: words(flags.only).map(stepId),
  };
}

function servingHosts({ bridge }: SlimeConfig, gpu: readonly string[]) {
  const running = bridge.services.length > 0
    ? []
    : bridge.hosts.length > 0
    ? bridge.hosts
    : gpu.slice(0, 1);
  return [...new Set([THIS_HOST, ...running])];
}

function words(lists: readonly string[]): string[] {
  return lists.flatMap((list) => list.split(",")).map((word) => word.trim())
    .filter((word) => word !== "");
}
