/**
 * Derives the flags and environment variables that slime needs to log to Weights & Biases and TensorBoard. Without
 * them, logging would crash the job.
 * @see slime `slime/observability/wandb_utils.py` and `tensorboard_utils.py` at 624b824. W&B's group must be set,
 * because slime appends a suffix to it. TensorBoard's directory must be set before the first metrics are logged.
 */

import { join } from "node:path/posix";
import type { SlimeConfig } from "../slime_schema.ts";
import type { TrainFlag } from "./flags.ts";

type Tracked = Pick<SlimeConfig, "tracking" | "cluster">;

/**
 * Returns the flags that W&B needs in addition to the recipe's flags: the run's name as the group if the recipe sets no
 * group, and no suffix. Empty if W&B is disabled. With a suffix, every run would be in a separate group. In addition,
 * slime creates the suffix with `wandb.util.generate_id`, which newer versions of W&B do not have.
 */
export function trackingFlags(
  { tracking }: Tracked,
  run: string,
): TrainFlag[] {
  if (!tracking.wandb) return [];
  const bare = {
    flag: "--disable-wandb-random-suffix",
    values: [],
    from: "tracking.wandb",
  };
  return tracking.group !== null ? [bare] : [{
    flag: "--wandb-group",
    values: [run],
    from: "tracking.group",
  }, bare];
}

/** Returns the keys that have no effect because `tracking.wandb` is false. */
export function unusedTracking({ tracking }: Tracked): string[] {
  return tracking.wandb
    ? []
    : ["tracking.project", "tracking.group", "tracking.mode"];
}

/**
 * Returns the environment variables that TensorBoard needs; none if it is disabled. Its directory is absolute, because
 * a relative path would depend on the directory of each process.
 * @param checkpoints The directory that contains the run's checkpoints.
 */
export function trackingVariables(
  { tracking }: Tracked,
  checkpoints: string,
): Record<string, string> {
  return tracking.tensorboard
    ? { TENSORBOARD_DIR: join(checkpoints, "tensorboard") }
    : {};
}

/** Checks whether W&B needs its key. The key is needed if W&B is enabled in a mode other than `offline`. */
export function needsWandbKey({ tracking, cluster }: Tracked): boolean {
  const mode = tracking.mode ?? cluster.env["WANDB_MODE"];
  return tracking.wandb && mode !== "offline";
}
