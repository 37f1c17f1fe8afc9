/**
 * Trackers that slime logs to beside its own log: what they need to be told, so that none of them ends the job.
 *
 * @see slime `slime/observability/wandb_utils.py` and `tensorboard_utils.py` at 624b824: W&B's group is put together
 * with a suffix and may not be missing, and TensorBoard's directory is demanded with the first metrics.
 */

import { join } from "node:path/posix";
import type { SlimeConfig } from "../slime_schema.ts";
import type { TrainFlag } from "./flags.ts";

type Tracked = Pick<SlimeConfig, "tracking" | "cluster">;

/**
 * The flags that W&B needs beyond the recipe's: a group, which is the run's name where the recipe names none; and no
 * suffix to it, which would put every run into a group of its own, and for which slime calls a function
 * (`wandb.util.generate_id`) that newer versions of W&B do not have.
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

/** Keys that mean nothing without another. */
export function unusedTracking({ tracking }: Tracked): string[] {
  return tracking.wandb
    ? []
    : ["tracking.project", "tracking.group", "tracking.mode"];
}

/**
 * Variables of the job. TensorBoard's directory is absolute: a relative one would be another in each process.
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

/** Whether W&B wants its key: not where it writes to a disk. slime has it log to its servers in any other mode. */
export function needsWandbKey({ tracking, cluster }: Tracked): boolean {
  const mode = tracking.mode ?? cluster.env["WANDB_MODE"];
  return tracking.wandb && mode !== "offline";
}
