/** Defines the options of setup: the flags of `deno task setup`, and values derived from them. */

import { z } from "zod";
import { ConfigError } from "../../../env/errors.ts";
import { nearest } from "../../../env/schema_issue.ts";
import {
  type Host,
  pickHosts,
  placeOf,
  readHosts,
  readThisHost,
  THIS_HOST,
} from "../hosts/hosts_file.ts";
import {
  containerEngine,
  containerName,
  HOST_ITSELF,
  type Place,
  placeText,
  placeWord as place,
} from "../hosts/place.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import type { Package } from "./package.ts";
import {
  DEFAULT_IMAGE,
  SLIME_COMMIT,
  TAU3_BENCH_COMMIT,
  TAU_BENCH_COMMIT,
} from "./pins.ts";
import { STEP_IDS, type StepId } from "./step.ts";

const commit = z.string().regex(
  /^[0-9a-f]{40}$/,
  "expected a full commit hash of 40 lowercase hex digits",
);
/** The schema of the settings that have a dedicated flag. */
export const setupSettings = z.object({
  in: z.enum(["container", "bare"]).optional().meta({
    description:
      "Run slime in a container created from its image, or directly on the host; default: the setting in hosts.yaml, else container, or bare if this machine is itself a container",
    value: "PLACE",
  }),
  engine: containerEngine.optional().meta({
    description: "The container engine; default: docker",
    value: "NAME",
  }),
  image: place.default(DEFAULT_IMAGE).meta({
    description:
      "The container image, which must suit slime's commit; for Blackwell, use a tag that ends in -cu130; to pin the image, use a digest (NAME@sha256:…)",
    value: "IMAGE",
  }),
  container: containerName.optional().meta({
    description:
      "The container's name; default: the setting in hosts.yaml, else taulab-slime",
    value: "NAME",
  }),
  venv: place.optional().meta({
    description:
      "Create a virtual environment on the bare host and install slime in it",
    value: "DIR",
  }),
  slimeUrl: place.default("https://github.com/THUDM/slime.git").meta({
    description: "slime's Git repository",
    value: "URL",
  }),
  slimeCommit: commit.default(SLIME_COMMIT).meta({
    description:
      "slime's commit; to use another one, also set --image to the image in that commit's docker/version.txt",
    value: "SHA",
  }),
  tauBenchUrl: place.default("https://github.com/sierra-research/tau-bench.git")
    .meta({ description: "tau-bench's Git repository", value: "URL" }),
  tauBenchCommit: commit.default(TAU_BENCH_COMMIT).meta({
    description: "tau-bench's commit",
    value: "SHA",
  }),
  tau3BenchUrl: place.default(
    "https://github.com/sierra-research/tau2-bench.git",
  ).meta({ description: "tau3-bench's Git repository", value: "URL" }),
  tau3BenchCommit: commit.default(TAU3_BENCH_COMMIT).meta({
    description: "tau3-bench's commit",
    value: "SHA",
  }),
  modelRepo: place.optional().meta({
    description:
      "The model's repository on Hugging Face; default: the recipe's model",
    value: "OWNER/NAME",
  }),
  modelRevision: place.default("main").meta({
    description: "The branch, tag or commit of the model's repository",
    value: "REV",
  }),
});

/** Options for setup: the hosts to set up, and what to set up on each. */
export interface SetupOptions
  extends
    Readonly<z.infer<typeof setupSettings>>,
    Pick<ResolvedSlime, "config" | "model"> {
  /** The hosts with GPUs. `undefined` stands for this machine. */
  readonly hosts: readonly (Host | undefined)[];
  /** The hosts that run episode servers. `undefined` stands for this machine. */
  readonly serving: readonly (Host | undefined)[];
  /** This machine's entry in hosts.yaml; `undefined` if there is none. */
  readonly here: Host | undefined;
  /** Whether this program itself runs in a container, such as a container from slime's image. */
  readonly inContainer: boolean;
  /** The Hugging Face token; `undefined` if there is none. */
  readonly token: string | undefined;
  /** The directory that contains `deno.json` on this machine. */
  readonly root: string;
  readonly taulab: Package;
  /** The steps to run; empty for all steps. */
  readonly only: readonly StepId[];
}

const NONE = "none";
const CONTAINER = "taulab-slime";

/**
 * Returns the place where slime runs on a host.
 * @throws {ConfigError} If the flags conflict with each other or with hosts.yaml.
 */
export function setupPlace(
  host: Host | undefined,
  options: Pick<
    SetupOptions,
    "in" | "engine" | "container" | "venv" | "here" | "inContainer"
  >,
): Place {
  const said = placeOf(host ?? options.here);
  const isBare = options.in === "bare" || options.venv !== undefined;
  const isContainer = options.in === "container" ||
    options.container !== undefined || options.engine !== undefined;
  if (isBare && isContainer) {
    throw new ConfigError(
      "Flags for a container and for a bare host cannot be used together",
      {
        hint: "pass either --container and --engine, or --in bare and --venv",
      },
    );
  }
  const asked = isBare
    ? barePlace(options, said)
    : containerPlace(options, said);
  const isAsked = isBare || isContainer;
  if (said !== undefined && isAsked && placeText(asked) !== placeText(said)) {
    throw new ConfigError(
      `hosts.yaml sets ${placeText(said)} for "${
        host?.name ?? THIS_HOST
      }", but the flags set ${placeText(asked)}`,
      { hint: "omit the flags, or change hosts.yaml" },
    );
  }
  if (said !== undefined) return said;
  const isInside = host === undefined && options.inContainer;
  return isInside && !isAsked ? HOST_ITSELF : asked;
}

type PlaceFlags = Pick<SetupOptions, "engine" | "container" | "venv">;

function barePlace({ venv }: PlaceFlags, said: Place | undefined): Place {
  if (venv !== undefined) return { kind: "venv", dir: venv };
  return said?.kind === "venv" ? said : HOST_ITSELF;
}

function containerPlace(
  { engine, container }: PlaceFlags,
  said: Place | undefined,
): Place {
  const base = said?.kind === "container" ? said : undefined;
  return {
    kind: "container",
    engine: engine ?? base?.engine ?? "docker",
    name: container ?? base?.name ?? CONTAINER,
  };
}

/** Paths that exist in containers: one each for docker, podman and Kubernetes. */
const CONTAINER_MARKS = [
  "/.dockerenv",
  "/run/.containerenv",
  "/var/run/secrets/kubernetes.io",
];

/** Checks whether this program seems to run in a container of docker, podman or Kubernetes. */
export async function isInContainer(): Promise<boolean> {
  const found = await Promise.all(
    CONTAINER_MARKS.map((path) =>
      Deno.lstat(path).then(() => true, () => false)
    ),
  );
  return found.includes(true);
}

/**
 * Reads the hosts with GPUs and the hosts that run episode servers.
 * @param gpu Names in the hosts file, or `this` for this machine. Default: `this`.
 * @param serve Names in the same form as `gpu`, or only `none`. Default: `this`.
 * @throws {ConfigError} If the hosts file is missing or invalid, lacks a host, or `none` is combined with other names.
 */
export async function setupHosts(
  file: string,
  { gpu, serve }: {
    readonly gpu: readonly string[];
    readonly serve: readonly string[];
  },
): Promise<Pick<SetupOptions, "hosts" | "serving" | "here">> {
  if (serve.includes(NONE) && serve.length > 1) {
    throw new ConfigError(
      '--serve: "none" cannot be combined with hosts',
      { hint: "pass either none or the names of hosts" },
    );
  }
  const here = await readThisHost(file);
  const remote = new Set([...gpu, ...serve]).difference(
    new Set([THIS_HOST, NONE]),
  );
  const known = await readHosts(file, [...remote]);
  const resolve = (names: readonly string[]) => {
    const hosts = pickHosts(known, names.filter((name) => name !== THIS_HOST));
    return names.map((name) => hosts.find((host) => host.name === name));
  };
  return {
    here,
    hosts: resolve(gpu.length === 0 ? [THIS_HOST] : gpu),
    serving: serve.includes(NONE)
      ? []
      : resolve(serve.length === 0 ? [THIS_HOST] : serve),
  };
}

/**
 * Parses the name of a step.
 * @throws {ConfigError} If no step has this name. The hint contains the nearest name.
 */
export function stepId(word: string): StepId {
  const id = STEP_IDS.find((id) => id === word);
  if (id !== undefined) return id;
  throw new ConfigError(`--only: unknown step "${word}"`, {
    hint: `did you mean "${nearest(word, STEP_IDS)}"?`,
  });
}
