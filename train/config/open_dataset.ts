/** The dataset that a config names. */

import { worldSection } from "./config_sections.ts";
import { generated } from "../../env/generated/generated.ts";
import {
  loadTauBench,
  TAU_BENCH_HINT,
  tauBenchDir,
} from "../../env/benchmarks/tau/tau_bench.ts";
import { TAU3_BENCH_HINT } from "../../env/benchmarks/tau3/bundle_files.ts";
import { composedTasks } from "../../env/benchmarks/tau3/composed_tasks.ts";
import { tau3BenchDir } from "../../env/benchmarks/tau3/load_bundle.ts";
import { tau3Bench } from "../../env/benchmarks/tau3/tau3_bench.ts";
import { domainNamed } from "../../env/domains/registry.ts";
import { ConfigError } from "../../env/errors.ts";
import type { CallOptions, Dataset } from "../../env/types.ts";
import type { Config } from "./config.ts";
import { withRowTasks } from "./open_rows.ts";
import { readExclusions, withoutTasks } from "./exclusions.ts";

/** Where benchmarks' data are now. Default: where a config says. */
export interface BenchmarkDirs {
  readonly tauBench?: string | undefined;
  readonly tau3Bench?: string | undefined;
}

/** What to do where a source's data are not there. */
export function dataHint(source: Config["data"]["source"]): string {
  return source === "tau3-bench" ? TAU3_BENCH_HINT : TAU_BENCH_HINT;
}

/** The data of a config, at the directory that is named for its benchmark. */
export function dataAt(
  data: Config["data"],
  { tauBench, tau3Bench }: BenchmarkDirs,
): Config["data"] {
  const named = data.source === "tau3-bench" ? tau3Bench : tauBench;
  return named ? { ...data, directory: named } : data;
}

/**
 * Makes or reads the dataset.
 * @throws {ConfigError} If no directory is given for τ-bench, the options of what is drawn contradict each other, or
 * what is to be left out is not there.
 * @throws {DataError} If what is in the directory is not the benchmark's data.
 */
export async function openDataset(
  data: Config["data"],
  options: CallOptions = {},
): Promise<Dataset> {
  const dataset = await openWhole(data, options);
  return data.exclude === null
    ? dataset
    : withoutTasks(dataset, await readExclusions(data.exclude));
}

async function openWhole(
  data: Config["data"],
  options: CallOptions,
): Promise<Dataset> {
  if (data.source === "generated") {
    if (data.rows.trainTasks > 0) {
      throw new ConfigError(
        "data.rows draws tasks over a benchmark's rows, and data.source is generated",
        {
          hint: 'set data.source to "tau-bench", or data.rows.trainTasks to 0',
        },
      );
    }
    const { domain, worldSeed, world } = data;
    const section = worldSection(domain);
    if (world !== undefined && section !== "world") {
      throw new ConfigError(
        `The knobs of the domain "${domain}" are in data.${section}, not in data.world`,
        { hint: `rename the section, or leave it out` },
      );
    }
    return domainNamed(domain).bundle?.composer === undefined
      ? await generated(worldSeed, data[section], { ...options, domain })
      : await composedTasks(worldSeed, world ?? {}, { domain });
  }
  if (data.source === "tau3-bench") {
    return await tau3Bench(tau3BenchDir(data.directory), {
      domain: domainNamed(data.domain).name,
    });
  }
  const dataset = await loadTauBench(tauBenchDir(data.directory), data.domain);
  return data.rows.trainTasks === 0
    ? dataset
    : await withRowTasks(dataset, data.rows, options);
}
