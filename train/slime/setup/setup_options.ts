/** What a set-up is told: the settings that are flags of `deno task setup`, and what is resolved beside them. */

import { z } from "zod";
import { ConfigError } from "../../../env/errors.ts";
import { nearest } from "../../../env/schema_issue.ts";
import { type Host, pickHosts, readHosts } from "../hosts/hosts_file.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import type { Package } from "./package.ts";
import { DEFAULT_IMAGE, SLIME_COMMIT, TAU_BENCH_COMMIT } from "./pins.ts";
import { STEP_IDS, type StepId } from "./step.ts";

const commit = z.string().regex(/^[0-9a-f]{40}$/, "all 40 digits of a commit");
/** What git or a shell cannot take for an option. */
const place = z.string().regex(
  /^[^-\s]\S*$/,
  "a word that begins with no dash",
);

/** A container's name. */
export const containerName = z.string().regex(
  /^[a-zA-Z0-9][\w.-]*$/,
  "a container's name",
);

/** What runs containers. */
export const containerEngine = z.enum(["docker", "podman"]).default("docker")
  .meta({ description: "What runs containers", value: "NAME" });

/** The settings that are given one by one. */
export const setupSettings = z.object({
  in: z.enum(["container", "bare"]).default("container").meta({
    description: "Where slime is: in a container of its image, or on the host",
    value: "PLACE",
  }),
  engine: containerEngine,
  image: place.default(DEFAULT_IMAGE).meta({
    description:
      "The image, by default that of slime's commit; -cu130 is for Blackwell, a digest (NAME@sha256:…) pins it",
    value: "IMAGE",
  }),
  container: containerName.default("taulab-slime").meta({
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
    description:
      "Its commit; another than the default needs its own --image, which docker/version.txt of it names",
    value: "SHA",
  }),
  tauBenchUrl: place.default("https://github.com/sierra-research/tau-bench.git")
    .meta({ description: "Where tau-bench comes from", value: "URL" }),
  tauBenchCommit: commit.default(TAU_BENCH_COMMIT).meta({
    description: "Its commit",
    value: "SHA",
  }),
  modelRepo: place.optional().meta({
    description: "The model at Hugging Face; default: its owner and name",
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
});

/** What is to be set up. */
export interface SetupOptions
  extends
    Readonly<z.infer<typeof setupSettings>>,
    Pick<ResolvedSlime, "config" | "model"> {
  /** The hosts with GPUs; `undefined` is this machine. */
  readonly hosts: readonly (Host | undefined)[];
  /** The hosts that run episodes. */
  readonly serving: readonly (Host | undefined)[];
  /** Of Hugging Face. */
  readonly token: string | undefined;
  /** Where `deno.json` is here. */
  readonly root: string;
  readonly taulab: Package;
  /** Only these steps; all where empty. */
  readonly only: readonly StepId[];
}

const THIS = "this";
const NONE = "none";

/**
 * The hosts with GPUs and those that run episodes.
 * @param gpu Names in the file, or `this` machine, which is also the default.
 * @param serve As `gpu`; `none` stands alone.
 * @throws {ConfigError} As {@linkcode readHosts}.
 */
export async function setupHosts(
  file: string,
  { gpu, serve }: {
    readonly gpu: readonly string[];
    readonly serve: readonly string[];
  },
): Promise<Pick<SetupOptions, "hosts" | "serving">> {
  if (serve.includes(NONE) && serve.length > 1) {
    throw new ConfigError('--serve: "none" stands alone');
  }
  const remote = new Set([...gpu, ...serve]).difference(new Set([THIS, NONE]));
  const known = await readHosts(file, [...remote]);
  const resolve = (names: readonly string[]) => {
    const hosts = pickHosts(known, names.filter((name) => name !== THIS));
    return names.map((name) => hosts.find((host) => host.name === name));
  };
  return {
    hosts: resolve(gpu.length === 0 ? [THIS] : gpu),
    serving: serve.includes(NONE)
      ? []
      : resolve(serve.length === 0 ? [THIS] : serve),
  };
}

/** A step by its name. @throws {ConfigError} If there is none; names the nearest. */
export function stepId(word: string): StepId {
  const id = STEP_IDS.find((id) => id === word);
  if (id !== undefined) return id;
  throw new ConfigError(`--only: there is no step "${word}"`, {
    hint: `the nearest is "${nearest(word, STEP_IDS)}"`,
  });
}
