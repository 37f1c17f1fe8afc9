/** Changes of a run's `run.json`, as a run of another kind or age would have it. */

import { join } from "node:path";
import type { RunInfo } from "../../train/runs/run_info.ts";

/** Writes `run.json` with other values, without a seal, as before there were any. */
export async function changeRunInfo(
  path: string,
  change: (info: RunInfo) => object,
): Promise<void> {
  const file = join(path, "run.json");
  const { sha256: _, ...info } = JSON.parse(await Deno.readTextFile(file));
  await Deno.writeTextFile(file, JSON.stringify(change(info)));
}
