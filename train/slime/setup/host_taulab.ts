/** The paths of setup on a host: taulab, the Deno that runs it, and the benchmarks. */

import { join } from "node:path/posix";
import { pathWord } from "../hosts/shell.ts";

/** The default directory on a host, which also contains the manifest. */
export const SETUP_DIR = "~/.taulab";

/** Paths on a host, based on its directory in hosts.yaml; they may begin with `~/`. */
export interface HostTaulab {
  readonly taulab: string;
  /** The directory that contains Deno, in the version that is running. */
  readonly denoDir: string;
  /** The command that runs Deno, quoted for a shell. */
  readonly deno: string;
  readonly benchmarks: Readonly<Record<Benchmark, HostBenchmark>>;
}

/** A benchmark, as named by `data.source`. */
export type Benchmark = "tau-bench" | "tau3-bench";

/** The paths of a benchmark on a host. */
export interface HostBenchmark {
  readonly checkout: string;
  /** The directory of the imported dataset. */
  readonly data: string;
}

/** Returns the directory of a recipe's dataset on a host; `null` if it is generated. */
export function dataOn(
  { benchmarks }: HostTaulab,
  source: Benchmark | "generated",
): string | null {
  return source === "generated" ? null : benchmarks[source].data;
}

/**
 * Returns the paths of taulab on a host.
 * @param dir The directory from hosts.yaml.
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
