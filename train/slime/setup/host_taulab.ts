/** Where a set-up keeps its things on a host: taulab, the Deno that runs it, the benchmarks. */

import { join } from "node:path/posix";
import { pathWord } from "../hosts/shell.ts";

/** The directory where hosts.yaml says none: also of the manifest of what was made. */
export const SETUP_DIR = "~/.taulab";

/** Paths on a host, as hosts.yaml has their directory: they may begin with `~/`. */
export interface HostTaulab {
  readonly taulab: string;
  /** Of Deno; its version is that which runs here. */
  readonly denoDir: string;
  /** The command, as a shell's word. */
  readonly deno: string;
  readonly benchmarks: Readonly<Record<Benchmark, HostBenchmark>>;
}

/** A benchmark, as `data.source` names it. */
export type Benchmark = "tau-bench" | "tau3-bench";

/** Where a benchmark is on a host. */
export interface HostBenchmark {
  readonly checkout: string;
  /** What was imported from it. */
  readonly data: string;
}

/** Where the data of a recipe are on a host; `null` where they are generated. */
export function dataOn(
  { benchmarks }: HostTaulab,
  source: Benchmark | "generated",
): string | null {
  return source === "generated" ? null : benchmarks[source].data;
}

/** @param dir As hosts.yaml has it. */
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
