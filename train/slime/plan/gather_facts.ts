/**
 * Gathers the facts that a plan needs in addition to the recipe, from the dataset, from hosts.yaml and from an earlier
 * run.
 */

import { basename } from "node:path";
import { openDataset } from "../../config/open_dataset.ts";
import { readHooks } from "../read_hooks.ts";
import { hostAddress, hostsIfThere } from "../hosts/hosts_file.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { ASSUMED } from "./forecast.ts";
import { measuredRates } from "./measured.ts";
import { measuredTraining } from "./measured_training.ts";
import { hostNames } from "./plan_cluster.ts";
import type { LaunchFacts } from "./plan_types.ts";
import { type PlanData, planData } from "./slime_rows.ts";

/** Where {@linkcode gatherFacts} finds facts that are not in the config. */
export interface FactSources {
  /** The path of the run dir on this machine, such as `runs/NAME`. */
  readonly runDir: string;
  /** The number of the run's session, starting at 1. Default: 1. */
  readonly session?: number;
  /** The path of a hosts.yaml. */
  readonly hostsFile: string;
  /** The path of a run or an evaluation whose rates are used. Default: assumed rates. */
  readonly ratesFrom?: string | undefined;
}

/**
 * Gathers the facts of a plan, without network access. Facts that are not available are `null`, as are `nvlink` and
 * `routerPolicies`, for which the hosts would have to be queried. If the recipe names hosts and there is no hosts.yaml,
 * the notes say so.
 * @throws {ConfigError} If a host is not in hosts.yaml, or the run in `ratesFrom` is missing or has no episode to
 * measure.
 * @throws {DataError} If the dataset is damaged.
 */
export async function gatherFacts(
  config: SlimeConfig,
  { runDir, session = 1, hostsFile, ratesFrom }: FactSources,
): Promise<LaunchFacts> {
  const data = await dataIfThere(config);
  const promptTokens = data?.promptTokens ?? ASSUMED.promptTokens;
  return {
    run: basename(runDir),
    session,
    ...await namedHosts(config, hostsFile),
    hooks: await readHooks(),
    runDir,
    data,
    nvlink: null,
    routerPolicies: null,
    measured: ratesFrom === undefined
      ? null
      : await measuredRates(ratesFrom, promptTokens),
    measuredTraining: ratesFrom === undefined
      ? null
      : await measuredTraining(ratesFrom),
  };
}

/** Returns the dataset; `null` if it belongs to a benchmark whose directory is not set. */
async function dataIfThere(config: SlimeConfig): Promise<PlanData | null> {
  const { data } = config;
  return data.source !== "generated" && data.directory === null
    ? null
    : planData(await openDataset(data), config);
}

/**
 * Returns the hosts that a recipe names. Unlike a launch, a plan does not need a hosts.yaml: without one, the hosts'
 * names are used as their addresses.
 */
async function namedHosts(
  config: SlimeConfig,
  path: string,
): Promise<Pick<LaunchFacts, "hosts" | "notes">> {
  const names = hostNames(config);
  const hosts = await hostsIfThere(path, names);
  if (hosts === undefined) {
    return {
      hosts: names.map((name) => ({ name, address: name })),
      notes: [
        `there is no ${path}, so host names are used as addresses`,
      ],
    };
  }
  const known = hosts.map((host) => ({
    name: host.name,
    address: hostAddress(host),
    ...host.dir === undefined ? {} : { dir: host.dir },
  }));
  return { hosts: known, notes: [] };
}
