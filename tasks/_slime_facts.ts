/** The config of a slime run and what its plan goes by, from the flags of `deno task train`. */

import { join } from "node:path";
import type { Dataset } from "../env/types.ts";
import type { Recipe } from "../train/config/config.ts";
import { openDataset } from "../train/config/open_dataset.ts";
import { hostAddress, hostsIfThere } from "../train/slime/hosts/hosts_file.ts";
import {
  type ResolvedSlime,
  resolveSlime,
} from "../train/slime/slime_config.ts";
import type { SlimeConfig } from "../train/slime/slime_schema.ts";
import { ASSUMED } from "../train/slime/plan/forecast.ts";
import { measuredRates } from "../train/slime/plan/measured.ts";
import type { LaunchFacts, PlanHost } from "../train/slime/plan/slime_plan.ts";
import { planData } from "../train/slime/plan/slime_rows.ts";
import { runPath } from "./_shared_flags.ts";
import { stamp } from "../train/runs/run_info.ts";
import { overrides, type TrainFlags } from "./_train_flags.ts";

/**
 * The recipe of a new slime run, resolved.
 * @throws {ConfigError} As `resolveSlime`.
 */
export function newSlime(recipe: Recipe, flags: TrainFlags): ResolvedSlime {
  const slime = resolveSlime(recipe, overrides(flags));
  const { config } = slime;
  const { tauBench: directory } = flags;
  return directory === undefined || config.data.source !== "tau-bench"
    ? slime
    : { ...slime, config: { ...config, data: { ...config.data, directory } } };
}

/** `qwen3-4b-20260102-030405`, in UTC. */
export function slimeRunName({ name }: Recipe, now: Date): string {
  const base = name.split("/").at(-1)!.replace(/\.ya?ml$/, "")
    .replaceAll(/[^\w.-]+/g, "-");
  return `${base}-${stamp(now)}`;
}

/** Where {@linkcode slimeFacts} looks, beside the config. */
export interface FactSources {
  readonly run: string;
  readonly sitting: number;
  /** Directory of the runs. */
  readonly runs: string;
  /** A hosts.yaml. */
  readonly hosts: string;
  /** A run or an evaluation to measure on. */
  readonly ratesFrom?: string | undefined;
}

/**
 * Gathers what a plan goes by. Asks no network; what is not there is left open and noted.
 * @throws {ConfigError} If a host is not in hosts.yaml, or nothing can be measured on the run that was named.
 * @throws {DataError} If the data are damaged.
 */
export async function slimeFacts(
  config: SlimeConfig,
  sources: FactSources,
): Promise<LaunchFacts> {
  const dataset = await datasetIfThere(config);
  const data = dataset === null ? null : planData(dataset, config);
  const { hosts, notes } = await namedHosts(config, sources.hosts);
  const hooks = new URL("../train/slime/generate.py", import.meta.url);
  return {
    run: sources.run,
    sitting: sources.sitting,
    hosts,
    hooks: await Deno.readTextFile(hooks),
    runDir: join(sources.runs, sources.run),
    data,
    nvlink: null,
    measured: sources.ratesFrom === undefined ? null : await measuredRates(
      runPath(sources.ratesFrom, sources.runs),
      data?.promptTokens ?? ASSUMED.promptTokens,
    ),
    notes,
  };
}

/** `null` where the recipe is of τ-bench and nobody said where its data are. */
async function datasetIfThere(
  { data }: SlimeConfig,
): Promise<Dataset | null> {
  return data.source === "tau-bench" && data.directory === null
    ? null
    : await openDataset(data);
}

/** A plan can be looked at before there is a hosts.yaml; a launch needs one. */
async function namedHosts(
  { cluster }: SlimeConfig,
  path: string,
): Promise<{ hosts: PlanHost[]; notes: string[] }> {
  const hosts = await hostsIfThere(path, cluster.hosts);
  if (hosts === undefined) {
    return {
      hosts: cluster.hosts.map((name) => ({ name, address: name })),
      notes: [
        `there is no ${path}, so the names of hosts stand for their addresses here`,
      ],
    };
  }
  return {
    hosts: hosts.map((host) => ({
      name: host.name,
      address: hostAddress(host),
    })),
    notes: [],
  };
}
