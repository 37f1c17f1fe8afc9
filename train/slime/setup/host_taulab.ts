/**
 * Defines where setup installs taulab, the Deno that runs it, and the benchmarks on a host.
 */

import { join } from "node:path/posix";
import { pathWord } from "../hosts/shell.ts";

/** The default directory of setup on a host, which also contains the manifest. */
export const SETUP_DIR = "~/.taulab";

/** The paths of taulab, Deno and the benchmarks on a host. They may begin with `~/`. */
export interface HostTaulab {
  readonly taulab: string;
  /** The directory on the host for the version of Deno that runs this program. */
  readonly denoDir: string;
  /** The command that runs Deno on the host, quoted for a shell. */
  readonly deno: string;
  readonly benchmarks: Readonly<Record<Benchmark, HostBenchmark>>;
}

/** The name of a benchmark in `data.source`. */
export type Benchmark = "tau-bench" | "tau3-bench";

/** The paths of a benchmark on a host. */
export interface HostBenchmark {
  readonly checkout: string;
  /** The directory of the imported dataset. */
  readonly data: string;
}

/** Returns the directory of a recipe's dataset on a host; `null` if the dataset is generated. */
export function dataOn(
  { benchmarks }: HostTaulab,
  source: Benchmark | "generated",
): string | null {
  return source === "generated" ? null : benchmarks[source].data;
}

/**
 * Returns the paths of taulab, Deno and the benchmarks on a host.
 * @param dir The directory of setup, from hosts.yaml.
 */
export function hostTaulab(dir: string = SETUP_DIR): HostTaulab {
  const denoDir = join(dir, `deno-${Deno.version.deno}`);
  return {
    taulab: join(dir, "taulab"),
    denoDir,
    deno: pathWord(join(denoDir, "bin/deno")),
    benchmarks: {
      "tau-bench": benchmarkIn(dir, "tau-bench"),
      "tau3-bench": benchmarkIn(dir, "tau3-bench"),
    },
  };
}

function benchmarkIn(dir: string, name: string): HostBenchmark {
  return { checkout: join(dir, name), data: join(dir, `${name}-data`) };
}
