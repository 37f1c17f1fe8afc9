/** Opens the dataset that a config names. */

import type { z } from "zod";
import { type evaluationDataSchema, worldSection } from "./config_sections.ts";
import { generated } from "../../env/generated/generated.ts";
import {
  loadTauBench,
  TAU_BENCH_HINT,
  tauBenchDir,
} from "../../env/benchmarks/tau/tau_bench.ts";
import { TAU3_BENCH_HINT } from "../../env/benchmarks/tau3/bundle_files.ts";
import { composedTasks } from "../../env/benchmarks/tau3/composed_tasks.ts";
import {
  tau3BenchDir,
  variantName,
} from "../../env/benchmarks/tau3/load_bundle.ts";
import { tau3Bench } from "../../env/benchmarks/tau3/tau3_bench.ts";
import { domainNamed } from "../../env/domains/registry.ts";
import { ConfigError } from "../../env/errors.ts";
import type { CallOptions, Dataset } from "../../env/types.ts";
import type { Config } from "./config.ts";
import { withRowTasks } from "./open_rows.ts";
import { readExclusions, withoutTasks } from "./exclusions.ts";

/**
 * A config's `data` section. The keys for τ³-bench's modes and policy variants exist only in the config of an
 * evaluation.
 */
export type DataConfig =
  & Config["data"]
  & Partial<Pick<z.infer<typeof evaluationDataSchema>, "solo" | "policyType">>;

/** The current directories of the benchmarks. Default: the directory in the config. */
export interface BenchmarkDirs {
  readonly tauBench?: string | undefined;
  readonly tau3Bench?: string | undefined;
}

/** Returns the hint for a source whose data is missing. */
export function dataHint(source: Config["data"]["source"]): string {
  return source === "tau3-bench" ? TAU3_BENCH_HINT : TAU_BENCH_HINT;
}

/** Returns a config's `data` section, with the benchmark's current directory if it is given. */
export function dataAt<T extends Config["data"]>(
  data: T,
  { tauBench, tau3Bench }: BenchmarkDirs,
): T {
  const named = data.source === "tau3-bench" ? tau3Bench : tauBench;
  return named ? { ...data, directory: named } : data;
}

/**
 * Opens or generates the dataset that a config names.
 * @throws {ConfigError} If a benchmark has no directory, settings do not fit the source or each other, or the exclusion
 * file is missing, malformed or does not fit the dataset.
 * @throws {DataError} If the directory does not contain the benchmark's data.
 */
export async function openDataset(
  data: DataConfig,
  options: CallOptions = {},
): Promise<Dataset> {
  const dataset = await openWhole(data, options);
  return data.exclude === null
    ? dataset
    : withoutTasks(dataset, await readExclusions(data.exclude));
}

async function openWhole(
  data: DataConfig,
  options: CallOptions,
): Promise<Dataset> {
  const { solo = false, policyType = "manual" } = data;
  if (data.source !== "tau3-bench") {
    refuseModes({ solo, policyType, source: data.source });
  }
  if (data.source === "generated") {
    if (data.rows.trainTasks > 0) {
      throw new ConfigError(
        "data.rows draws tasks from a benchmark's rows, but data.source is generated",
        {
          hint: 'set data.source to "tau-bench", or data.rows.trainTasks to 0',
        },
      );
    }
    const { domain, worldSeed, world } = data;
    const section = worldSection(domain);
    if (world !== undefined && section !== "world") {
      throw new ConfigError(
        `The world settings of the domain "${domain}" belong in data.${section}, not in data.world`,
        { hint: `rename data.world to data.${section}, or remove it` },
      );
    }
    return domainNamed(domain).bundle?.composer === undefined
      ? await generated(worldSeed, data[section], { ...options, domain })
      : await composedTasks(worldSeed, world ?? {}, { domain });
  }
  if (data.source === "tau3-bench") {
    return await tau3Bench(tau3BenchDir(data.directory), {
      domain: variantName(domainNamed(data.domain).name, policyType),
      solo,
    });
  }
  const dataset = await loadTauBench(tauBenchDir(data.directory), data.domain);
  return data.rows.trainTasks === 0
    ? dataset
    : await withRowTasks(dataset, data.rows, options);
}

/**
 * Checks that no τ³-bench mode or policy variant is set for data from another source.
 * @throws {ConfigError} If a mode or a policy variant is set.
 */
function refuseModes(
  { solo, policyType, source }: Required<
    Pick<DataConfig, "solo" | "policyType" | "source">
  >,
): void {
  const [what, flag] = solo
    ? ["Solo mode", "--solo"]
    : policyType === "workflow"
    ? ["The policy type workflow", "--policy-type"]
    : [];
  if (what === undefined) return;
  throw new ConfigError(
    `${what} is available only for τ³-bench, but data.source is ${source}`,
    { hint: `pass --tau3-bench DIR --env telecom, or omit ${flag}` },
  );
}
