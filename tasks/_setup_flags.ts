/** The flags of `deno task setup`, and what they make of a recipe and a file of hosts. */

import { fileURLToPath } from "node:url";
import { z } from "zod";
import { ConfigError } from "../env/errors.ts";
import { nearest } from "../env/explain.ts";
import { parseSet } from "../train/config/config.ts";
import {
  type Host,
  pickHosts,
  readHosts,
} from "../train/slime/hosts/hosts_file.ts";
import { readPackage } from "../train/slime/setup/package.ts";
import type { SetupOptions } from "../train/slime/setup/setup_plan.ts";
import { STEP_IDS, type StepId } from "../train/slime/setup/step.ts";
import { isSlimeRecipe, resolveSlime } from "../train/slime/slime_config.ts";
import { readRecipe } from "./_recipes.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** The commits that this taulab was written against. */
const SLIME_COMMIT = "624b824a898ab0ec1fcb4d373004c7f3852bf515";
const TAU_BENCH_COMMIT = "59a200c6d575d595120f1cb70fea53cef0632f6b";

const commit = z.string().regex(/^[0-9a-f]{40}$/, "all 40 digits of a commit");
/** What git or a shell cannot take for an option. */
const place = z.string().regex(
  /^[^-\s]\S*$/,
  "a word that begins with no dash",
);

/** All flags of the task. */
export const setupFlags = z.object({
  recipe: z.string().default("qwen3-4b").meta({
    description: "What is to be trained: its paths, model and data",
    value: "NAME|FILE",
  }),
  set: z.array(z.string()).default([]).meta({
    description: "Set a key of the recipe; may be repeated",
    value: "KEY=VALUE",
  }),
  host: z.array(z.string()).default([]).meta({
    description:
      "Hosts with GPUs, by their names in hosts.yaml, with commas between; default: the recipe's, else this machine",
    value: "NAME,...",
  }),
  serve: z.array(z.string()).default([]).meta({
    description:
      'Hosts that run episodes: names in hosts.yaml, "this" machine (default), or "none"',
    value: "NAME,...",
  }),
  hosts: z.string().min(1).default("hosts.yaml").meta({
    description: "The file that says how hosts are reached",
    value: "FILE",
  }),
  in: z.enum(["container", "bare"]).default("container").meta({
    description: "Where slime is: in a container of its image, or on the host",
    value: "PLACE",
  }),
  engine: z.enum(["docker", "podman"]).default("docker").meta({
    description: "What runs containers",
    value: "NAME",
  }),
  image: place.default("slimerl/slime:latest").meta({
    description: "The image; name a digest (NAME@sha256:…) to pin it",
    value: "IMAGE",
  }),
  container: z.string().regex(/^[a-zA-Z0-9][\w.-]*$/, "a container's name")
    .default("taulab-slime").meta({
      description: "How the container is called",
      value: "NAME",
    }),
  venv: place.optional().meta({
    description:
      "With --in bare: a virtual environment to make and to install into",
    value: "DIR",
  }),
  slimeUrl: place.default("https://github.com/THUDM/slime.git").meta({
    description: "Where slime comes from",
    value: "URL",
  }),
  slimeCommit: commit.default(SLIME_COMMIT).meta({
    description: "Its commit",
    value: "SHA",
  }),
  tauBenchUrl: place.default("https://github.com/sierra-research/tau-bench.git")
    .meta({ description: "Where tau-bench comes from", value: "URL" }),
  tauBenchCommit: commit.default(TAU_BENCH_COMMIT).meta({
    description: "Its commit",
    value: "SHA",
  }),
  modelRepo: place.optional().meta({
    description: "The model at Hugging Face; default: Qwen/ and its name",
    value: "OWNER/NAME",
  }),
  modelRevision: place.default("main").meta({
    description: "Its branch, tag or commit",
    value: "REV",
  }),
  dir: z.string().regex(/^(\/|~(\/|$))/, "an absolute path, or one below ~/")
    .default("~/.taulab").meta({
      description:
        "Where tau-bench, taulab and the list of what was made are kept on a host",
      value: "DIR",
    }),
  only: z.array(z.string()).default([]).meta({
    description: `Only these steps: ${STEP_IDS.join(", ")}`,
    value: "STEP,...",
  }),
  dryRun: z.boolean().default(false).meta({
    description: "Print each command of each host, and run nothing",
  }),
  check: z.boolean().default(false).meta({
    description:
      "Look what is done, and change nothing; code 1 where something is to be done",
  }),
  undo: z.boolean().default(false).meta({
    description:
      "Remove what set-ups made and nothing else; with --dry-run, look what that is",
  }),
});

/** As read from the command line. */
export type SetupFlags = z.infer<typeof setupFlags>;

/** What is to be set up where. @throws {ConfigError} For what does not fit or is not there. */
export async function setupOptions(flags: SetupFlags): Promise<SetupOptions> {
  const recipe = await readRecipe(flags.recipe);
  if (!isSlimeRecipe(recipe)) {
    throw new ConfigError(
      `${recipe.name} trains on this machine and needs no set-up`,
      { hint: "name a recipe of slime, as qwen3-4b" },
    );
  }
  if (flags.venv !== undefined && flags.in !== "bare") {
    throw new ConfigError("--venv is for bare hosts", {
      hint: "add --in bare",
    });
  }
  const config = resolveSlime(recipe, flags.set.map(parseSet)).config;
  const named = words(flags.host);
  const gpu = named.length > 0 ? named : config.cluster.hosts;
  const serve = servingNames(words(flags.serve));
  const remote = new Set([...gpu, ...serve]).difference(new Set([THIS]));
  const hosts = await readHosts(flags.hosts, [...remote]);
  return {
    config,
    hosts: gpu.length === 0 ? [undefined] : resolveNames(hosts, gpu),
    serving: resolveNames(hosts, serve),
    in: flags.in,
    engine: flags.engine,
    image: flags.image,
    container: flags.container,
    venv: flags.venv,
    slime: { url: flags.slimeUrl, commit: flags.slimeCommit },
    tauBench: { url: flags.tauBenchUrl, commit: flags.tauBenchCommit },
    modelRepository: flags.modelRepo,
    modelRevision: flags.modelRevision,
    token: Deno.env.get("HF_TOKEN") || undefined,
    dir: flags.dir,
    root: ROOT,
    taulab: await readPackage(ROOT),
    only: words(flags.only).map(stepId),
  };
}

function words(lists: readonly string[]): string[] {
  return lists.flatMap((list) => list.split(",")).map((word) => word.trim())
    .filter((word) => word !== "");
}

const THIS = "this";
const NONE = "none";

/** The hosts of these names, `undefined` for this machine. */
function resolveNames(
  hosts: readonly Host[],
  names: readonly string[],
): (Host | undefined)[] {
  const remote = pickHosts(hosts, names.filter((name) => name !== THIS));
  return names.map((name) => remote.find((host) => host.name === name));
}

/** The hosts that run episodes. */
function servingNames(names: readonly string[]): readonly string[] {
  if (names.length === 0) return [THIS];
  if (!names.includes(NONE)) return names;
  if (names.length === 1) return [];
  throw new ConfigError('--serve: "none" stands alone');
}

function stepId(word: string): StepId {
  const id = STEP_IDS.find((id) => id === word);
  if (id !== undefined) return id;
  throw new ConfigError(
    `--only: there is no step "${word}"`,
    { hint: `the nearest is "${nearest(word, STEP_IDS)}"` },
  );
}
