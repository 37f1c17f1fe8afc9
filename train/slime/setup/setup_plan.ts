/** Plans the setup of each host as a list of steps, without contacting any host. */

import { join } from "node:path";
import { ConfigError } from "../../../env/errors.ts";
import { type Host, placeOf } from "../hosts/hosts_file.ts";
import {
  type ContainerPlace,
  HOST_ITSELF,
  type Place,
} from "../hosts/place.ts";
import { checkoutStep } from "./checkout_step.ts";
import {
  type ContainerOptions,
  containerStep,
  imageStep,
} from "./container_steps.ts";
import { binOf, modelStep } from "./model_step.ts";
import {
  packagesStep,
  type PythonOptions,
  requirementsStep,
  slimePackageStep,
  venvStep,
} from "./python_steps.ts";
import { type Benchmark, hostTaulab, SETUP_DIR } from "./host_taulab.ts";
import {
  benchmarkDataStep,
  denoStep,
  taulabStep,
  thisDeno,
} from "./serving_steps.ts";
import { type SetupOptions, setupPlace } from "./setup_options.ts";
import type { Step } from "./step.ts";
import { repositoryOf } from "../shapes/model_presets.ts";

/** The planned setup of a host. */
export interface HostPlan {
  /** The host; `undefined` stands for this machine. */
  readonly host: Host | undefined;
  readonly name: string;
  /** The directory that contains the host's manifest and lock. */
  readonly dir: string;
  /** Where the steps with `inside: true` run. The other steps run on the host itself. */
  readonly place: Place;
  /** Whether slime is set up on the host. If it is, the place is recorded in the manifest. */
  readonly hasSlime: boolean;
  readonly steps: readonly Step[];
}

/**
 * Plans the setup of all hosts, starting with those that have GPUs. Hosts without a step to run are omitted.
 * @throws {ConfigError} If the flags conflict with each other or with hosts.yaml, or a directory to mount in a
 * container is relative.
 */
export function planSetup(options: SetupOptions): HostPlan[] {
  const hosts = [...new Set([...options.hosts, ...options.serving])];
  const asked = (steps: Step[]) =>
    steps.filter(({ id }) =>
      options.only.length === 0 || options.only.includes(id)
    );
  return hosts.map((host) => {
    const isGpuHost = options.hosts.includes(host);
    const place = isGpuHost
      ? setupPlace(host, options)
      : placeOf(host) ?? HOST_ITSELF;
    const slime = isGpuHost ? asked(gpuSteps(options, { host, place })) : [];
    const serving = options.serving.includes(host)
      ? asked(servingSteps(options, host))
      : [];
    return {
      host,
      name: host?.name ?? "this machine",
      dir: dirOf(host, options),
      place,
      hasSlime: slime.length > 0,
      steps: [...slime, ...serving],
    };
  }).filter(({ steps }) => steps.length > 0);
}

function dirOf(
  host: Host | undefined,
  { here }: Pick<SetupOptions, "here">,
): string {
  return (host ?? here)?.dir ?? SETUP_DIR;
}

/** A host with GPUs, and the place where its steps run. */
interface Target {
  readonly host: Host | undefined;
  readonly place: Place;
}

function gpuSteps(options: SetupOptions, target: Target): Step[] {
  const { config } = options;
  const { model } = config;
  const { place } = target;
  const python = pythonOf(options, place);
  const { bare } = python;
  const container = place.kind === "container"
    ? containerOf(options, { ...target, place })
    : undefined;
  return [
    ...container ? [imageStep(container), containerStep(container)] : [],
    ...place.kind === "venv" ? [venvStep(place.dir, config.paths.python)] : [],
    checkoutStep({
      id: "slime",
      url: options.slimeUrl,
      commit: options.slimeCommit,
      dir: config.paths.slime,
      inside: !bare,
      flags: { commit: "--slime-commit", dir: "--set paths.slime=DIR" },
    }),
    ...bare ? [requirementsStep(python)] : [],
    slimePackageStep(python),
    packagesStep(python),
    modelStep({
      repository: options.modelRepo ?? repositoryOf(model.name),
      revision: options.modelRevision,
      directory: model.directory,
      shape: options.model,
      inside: !bare,
      bin: binOf(python.python),
      token: options.token,
    }),
  ];
}

function containerOf(
  options: SetupOptions,
  { host, place }: Target & { readonly place: ContainerPlace },
): ContainerOptions {
  const { image } = options;
  const { model, checkpoint, paths } = options.config;
  const dir = dirOf(host, options);
  const keyed = {
    "model.directory": model.directory,
    "model.reference": model.reference,
    "checkpoint.directory": checkpoint.directory,
    "checkpoint.huggingFace": checkpoint.huggingFace,
    "paths.runs": paths.runs,
  };
  const relative = Object.entries(keyed)
    .find(([, path]) => path !== null && !path.startsWith("/"));
  if (relative !== undefined) {
    const [key, path] = relative;
    throw new ConfigError(
      `${key} "${path}" is not an absolute path, but the container mounts each directory at the same path as on the host`,
      { hint: `set ${key} to an absolute path` },
    );
  }
  const mounts = [
    ...Object.values(keyed).filter((path) => path !== null),
    ...dir.startsWith("/") ? [dir] : [],
  ].filter((dir, i, all) => all.indexOf(dir) === i);
  const { engine, name } = place;
  return { engine, image, name, mounts };
}

function pythonOf(
  { config: { paths } }: SetupOptions,
  place: Place,
): PythonOptions {
  return {
    python: place.kind === "venv"
      ? join(place.dir, "bin/python")
      : paths.python,
    slime: paths.slime,
    megatron: paths.megatron,
    bare: place.kind !== "container",
  };
}

/**
 * Plans the steps for running episode servers. This machine already has taulab, and its dataset is in the directory
 * that the recipe sets, if any. In all other cases, they are in setup's directory.
 */
function servingSteps(options: SetupOptions, host: Host | undefined): Step[] {
  const { config, root } = options;
  const there = hostTaulab(dirOf(host, options));
  const isHere = host === undefined;
  const steps = [
    ...isHere ? [] : [denoStep(there), taulabStep(there, options.taulab)],
    ...config.data.source === "generated"
      ? []
      : benchmarkSteps(config.data.source),
  ];

  function benchmarkSteps(benchmark: Benchmark): Step[] {
    const { checkout, data } = there.benchmarks[benchmark];
    const { url, commit } = originOf(benchmark, options);
    const wanted = isHere ? config.data.directory ?? data : data;
    const taulab = isHere ? root : there.taulab;
    return [
      checkoutStep({
        id: benchmark,
        ...{ url, commit },
        dir: checkout,
        flags: { commit: `--${benchmark}-commit`, dir: "dir in hosts.yaml" },
      }),
      benchmarkDataStep({
        ...{ benchmark, checkout, commit, taulab },
        data: resolve(taulab, wanted),
        setBy: isHere ? "--set data.directory=DIR" : "dir in hosts.yaml",
        deno: isHere ? thisDeno() : there.deno,
      }),
    ];
  }

  return steps.map((step) => ({ ...step, inside: !isHere }));
}

function originOf(
  benchmark: Benchmark,
  options: SetupOptions,
): { url: string; commit: string } {
  return benchmark === "tau3-bench"
    ? { url: options.tau3BenchUrl, commit: options.tau3BenchCommit }
    : { url: options.tauBenchUrl, commit: options.tauBenchCommit };
}

/** Resolves a path from the recipe relative to the directory of taulab. */
function resolve(taulab: string, path: string): string {
  return /^[/~]/.test(path) ? path : join(taulab, path);
}
