/**
 * Locates τ-bench's data and recordings. They are in the directory that `TAU_BENCH_DIR` names, by default in
 * `shared/tau-bench` next to the repository.
 */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The directory of τ-bench's data. */
export const TAU_BENCH: string = Deno.env.get("TAU_BENCH_DIR") ||
  fileURLToPath(new URL("../../../shared/tau-bench", import.meta.url));

/** Whether τ-bench's data is missing. If so, tests that need it are ignored. */
export const NO_TAU_BENCH = !existsSync(TAU_BENCH);

/** Returns the path of a recording. */
export function recordingPath(name: string): string {
  return `${TAU_BENCH}/replays/${name}`;
}
