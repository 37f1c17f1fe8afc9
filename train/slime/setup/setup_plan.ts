/** What setting up means for each host, as steps; nothing is looked at. */

import { join } from "node:path";
import { ConfigError } from "../../../env/errors.ts";
import type { Host } from "../hosts/hosts_file.ts";
import { checkoutStep } from "./checkout_step.ts";
import {
  type ContainerOptions,
  containerStep,
  containerWords,
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
import {
  below,
  npxDeno,
  tauBenchDataStep,
  taulabStep,
  thisDeno,
} from "./serving_steps.ts";
import type { SetupOptions } from "./setup_options.ts";
import type { Step } from "./step.ts";
import { repositoryOf } from "../shapes/model_presets.ts";

/** The steps of one host. */
export interface HostPlan {
  /** `undefined` is this machine. */
  readonly host: Host | undefined;
  readonly name: string;
  /** Where the host's manifest and lock are. */
  readonly dir: string;
  /** Words that run a command in its container; none where all is on the host itself. */
  readonly within: readonly string[];
  readonly steps: readonly Step[];
}

/** A path of the recipe is seen from where taulab runs. */
function resolve(taulab: string, path: string): string {
  return /^[/~]/.test(path) ? path : below(taulab, path);
}

/** The plans of all hosts, those with GPUs first. */
export function planSetup(options: SetupOptions): HostPlan[] {
  const hosts = [...new Set([...options.hosts, ...options.serving])];
  return hosts.map((host) => {
    const steps = [
      ...options.hosts.includes(host) ? gpuSteps(options) : [],
      ...options.serving.includes(host) ? servingSteps(options, host) : [],
    ].filter(({ id }) =>
      options.only.length === 0 || options.only.includes(id)
    );
    return {
      host,
      name: host?.name ?? "this machine",
      dir: host?.dir ?? options.dir,
      within: options.hosts.includes(host) && options.in === "container"
        ? containerWords(containerOf(options))
        : [],
      steps,
    };
  }).filter(({ steps }) => steps.length > 0);
}

function gpuSteps(options: SetupOptions): Step[] {
  const { config } = options;
  const { model } = config;
  const python = pythonOf(options);
  const bare = options.in === "bare";
  const container = bare ? undefined : containerOf(options);
  return [
    ...container ? [imageStep(container), containerStep(container)] : [],
    ...bare && options.venv !== undefined
      ? [venvStep(options.venv, config.paths.python)]
      : [],
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
  { config, engine, image, container }: SetupOptions,
): ContainerOptions {
  const { model, checkpoint } = config;
  const mounts = [
    model.directory,
    ...model.reference === null ? [] : [model.reference],
    checkpoint.directory,
    ...checkpoint.huggingFace === null ? [] : [checkpoint.huggingFace],
  ].filter((dir, i, all) => all.indexOf(dir) === i);
  const relative = mounts.find((dir) => !dir.startsWith("/"));
  if (relative !== undefined) {
    throw new ConfigError(
      `"${relative}" is to be the same inside the container and outside`,
      { hint: "write it as an absolute path in the recipe" },
    );
  }
  return { engine, image, name: container, mounts };
}

function pythonOf({ config, venv, in: place }: SetupOptions): PythonOptions {
  const bare = place === "bare";
  return {
    python: bare && venv !== undefined
      ? join(venv, "bin/python")
      : config.paths.python,
    slime: config.paths.slime,
    megatron: config.paths.megatron,
    bare,
  };
}

function servingSteps(options: SetupOptions, host: Host | undefined): Step[] {
  const { config, tauBenchUrl: url, tauBenchCommit: commit, root } = options;
  const dir = host?.dir ?? options.dir;
  const taulab = host === undefined ? root : below(dir, "taulab");
  const checkout = below(dir, "tau-bench");
  return [
    ...host === undefined ? [] : [taulabStep(taulab, options.taulab)],
    ...config.data.source === "generated" ? [] : [
      checkoutStep({
        id: "tau-bench",
        ...{ url, commit },
        dir: checkout,
        flags: { commit: "--tau-bench-commit", dir: "--dir" },
      }),
      tauBenchDataStep({
        checkout,
        data: resolve(
          taulab,
          config.data.directory ?? below(dir, "tau-bench-data"),
        ),
        commit,
        taulab,
        deno: host === undefined ? thisDeno() : npxDeno(),
      }),
    ],
  ];
}
