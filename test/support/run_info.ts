/** Changes the `run.json` of a run to simulate runs of other kinds or versions. */

import { join } from "node:path";
import type { RunInfo } from "../../train/runs/run_info.ts";

/** Changes `run.json` and removes its seal, as in runs that were written before seals existed. */
export async function changeRunInfo(
  path: string,
  change: (info: RunInfo) => object,
): Promise<void> {
  const file = join(path, "run.json");
  const { sha256: _, ...info } = JSON.parse(await Deno.readTextFile(file));
  await Deno.writeTextFile(file, JSON.stringify(change(info)));
}
