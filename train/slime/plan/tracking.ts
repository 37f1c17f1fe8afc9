/**
 * Settings for the trackers that slime logs to. Without them, the trackers would end the job.
 * @see slime `slime/observability/wandb_utils.py` and `tensorboard_utils.py` at 624b824: the group of W&B is
 *   concatenated with a suffix and must be set, and TensorBoard's directory is required with the first metrics.
 */

import { join } from "node:path/posix";
import type { SlimeConfig } from "../slime_schema.ts";
import type { TrainFlag } from "./flags.ts";

type Tracked = Pick<SlimeConfig, "tracking" | "cluster">;

/**
 * Returns the flags that W&B needs in addition to the recipe's: a group, by default the run's name, without a suffix.
 * A suffix would put every run into its own group, and slime creates it with a function (`wandb.util.generate_id`)
 * that newer versions of W&B do not have.
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

/** Returns the keys that have no effect without another key. */
export function unusedTracking({ tracking }: Tracked): string[] {
  return tracking.wandb
    ? []
    : ["tracking.project", "tracking.group", "tracking.mode"];
}

/**
 * Returns variables of the job. TensorBoard's directory is absolute, because a relative one would depend on the
 * process.
 * @param checkpoints The run's own directory of checkpoints.
 */
export function trackingVariables(
  { tracking }: Tracked,
  checkpoints: string,
): Record<string, string> {
  return tracking.tensorboard
    ? { TENSORBOARD_DIR: join(checkpoints, "tensorboard") }
    : {};
}

/** Checks whether W&B needs its key: in any mode but writing to disk, slime logs to its servers. */
export function needsWandbKey({ tracking, cluster }: Tracked): boolean {
  const mode = tracking.mode ?? cluster.env["WANDB_MODE"];
  return tracking.wandb && mode !== "offline";
}
