/** Where a set-up keeps its things on a host: taulab, the Deno that runs it, τ-bench. */

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
  /** τ-bench's checkout. */
  readonly checkout: string;
  /** What was imported from it. */
  readonly data: string;
}

/** @param dir As hosts.yaml has it. */
export function hostTaulab(dir: string = SETUP_DIR): HostTaulab {
  const denoDir = join(dir, `deno-${Deno.version.deno}`);
  return {
    taulab: join(dir, "taulab"),
    denoDir,
    deno: pathWord(join(denoDir, "bin/deno")),
    checkout: join(dir, "tau-bench"),
    data: join(dir, "tau-bench-data"),
  };
}
