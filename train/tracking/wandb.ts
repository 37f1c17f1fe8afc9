/** The Weights & Biases tracker, which works offline or online and does not need W&B's client. */

import type { Tracker } from "./run_tracker.ts";
import { type TrackingConfig, wandbModeOf } from "./tracking_schema.ts";
import { offlineWandb } from "./wandb_offline.ts";
import { onlineWandb } from "./wandb_online.ts";

/**
 * Creates the tracker.
 * @param env Reads an environment variable. Default: `Deno.env.get`, if that is permitted.
 * @throws {ConfigError} If the mode is online and there is no key or the server's URL is invalid, or if `WANDB_MODE` is
 * needed and is neither `online` nor `offline`.
 */
export function wandb(
  config: TrackingConfig,
  env?: (name: string) => string | undefined,
): Tracker {
  return wandbModeOf(config, env) === "offline"
    ? offlineWandb(config)
    : onlineWandb(config, env);
}
