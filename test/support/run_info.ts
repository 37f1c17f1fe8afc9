/** Changes a run's `run.json`, to simulate runs of other kinds or versions. */

import { join } from "node:path";
import type { RunInfo } from "../../train/runs/run_info.ts";

/** Rewrites `run.json` without a seal, as before seals existed. */
export async function changeRunInfo(
  path: string,
  change: (info: RunInfo) => object,
): Promise<void> {
  const file = join(path, "run.json");
  const { sha256: _, ...info } = JSON.parse(await Deno.readTextFile(file));
  await Deno.writeTextFile(file, JSON.stringify(change(info)));
}
