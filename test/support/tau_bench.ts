/** Where tests find τ-bench's data and recordings: `TAU_BENCH_DIR`, else beside the repository. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The directory of τ-bench's data. */
export const TAU_BENCH: string = Deno.env.get("TAU_BENCH_DIR") ||
  fileURLToPath(new URL("../../../shared/tau-bench", import.meta.url));

/** Whether there is none, and tests that need it have to be left out. */
export const NO_TAU_BENCH = !existsSync(TAU_BENCH);

/** The path of a recording. */
export function recordingPath(name: string): string {
  return `${TAU_BENCH}/replays/${name}`;
}
