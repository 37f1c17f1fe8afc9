/** A new run of the CPU trainer, as `deno task train` and scripts begin one. */

import type { Dataset } from "../env/types.ts";
import type { Config } from "./config.ts";
import { RunDir } from "./runs/run_dir.ts";
import { newRunInfo } from "./runs/run_info.ts";

/** Settings of {@linkcode startRun}. */
export interface StartRunOptions {
  readonly config: Config;
  /** What it will train on; `openDataset(config.data)` unless it has been changed, as by `withTools()`. */
  readonly dataset: Pick<Dataset, "name" | "fingerprint">;
  /** Default: now. */
  readonly now?: Date;
}

/**
 * Makes a run dir and takes it into use; `runSession()` then trains in it. Held by `await using`.
 * @throws {ConfigError} If it is there already.
 * @throws {RunDirError} If it cannot be written.
 */
export async function startRun(
  path: string,
  { config, dataset, now = new Date() }: StartRunOptions,
): Promise<RunDir> {
  const { name, fingerprint } = dataset;
  const info = await newRunInfo({
    seed: config.seed,
    dataset: { name, fingerprint },
    now,
  });
  return await RunDir.create(path, { config, info });
}
