/**
 * The recipe section `tracking`: trackers that show a run in addition to its run dir. slime's recipes have their own
 * section `tracking`, which shares the keys `tensorboard`, `wandb` and `project`.
 */

import { z } from "zod";
import { ConfigError } from "../../env/errors.ts";

/** The supported trackers, by their keys in a recipe. */
export const TRACKERS = ["tensorboard", "mlflow", "wandb", "trackio"] as const;

const WANDB_MODES = ["online", "offline"] as const;

/** The name of a tracker. */
export type TrackerName = typeof TRACKERS[number];

/** The schema of the section. Trackers may be changed on resume, because they do not affect training. */
export const trackingSchema = z.strictObject({
  tensorboard: z.boolean().default(false).describe(
    "Write TensorBoard's event files to tensorboard/ in the run dir",
  ),
  mlflow: z.boolean().default(false).describe(
    "Log to an MLflow server, with the credentials in MLFLOW_TRACKING_TOKEN, or in MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
  ),
  mlflowUrl: z.url({ protocol: /^https?$/ }).nullable().default(null).describe(
    "URL of the MLflow server; null uses MLFLOW_TRACKING_URI",
  ),
  wandb: z.boolean().default(false).describe(
    "Log to Weights & Biases, with the key in WANDB_API_KEY, or offline",
  ),
  wandbMode: z.enum(WANDB_MODES).nullable().default(null).describe(
    "online sends the run to the W&B server as it progresses; offline writes it to wandb/ in the run dir, to upload with wandb sync; null uses WANDB_MODE, or online if a key is set",
  ),
  wandbUrl: z.url({ protocol: /^https?$/ }).nullable().default(null).describe(
    "URL of the W&B server; null uses WANDB_BASE_URL, or https://api.wandb.ai",
  ),
  wandbEntity: z.string().min(1).nullable().default(null).describe(
    "User or team in W&B; null uses the key's default",
  ),
  wandbGroup: z.string().min(1).nullable().default(null).describe(
    "The run's group in W&B",
  ),
  trackio: z.boolean().default(false).describe(
    "Log to a trackio server, with the token in TRACKIO_WRITE_TOKEN",
  ),
  trackioUrl: z.url({ protocol: /^https?$/ }).nullable().default(null).describe(
    "URL of the trackio server; null uses TRACKIO_SERVER_URL",
  ),
  project: z.string().min(1).default("taulab").describe(
    "The run's project (W&B, trackio) or experiment (MLflow)",
  ),
}).meta({ mayChange: true });

/** The resolved section `tracking`. */
export type TrackingConfig = Readonly<z.infer<typeof trackingSchema>>;

/** Returns the trackers that a config enables. */
export function trackersIn(config: TrackingConfig): TrackerName[] {
  const asked: Readonly<Partial<Record<string, unknown>>> = config;
  return TRACKERS.filter((name) => asked[name] === true);
}

/** Reads an environment variable. If this thread has no permission to read it, the variable counts as not set. */
function permittedEnv(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}

/**
 * Returns the mode of the W&B tracker.
 * @param env Reads an environment variable. Default: `Deno.env.get`, if that is permitted.
 * @throws {ConfigError} If the mode is read from `WANDB_MODE`, and its value is neither `online` nor `offline`.
 */
export function wandbModeOf(
  { wandbMode }: TrackingConfig,
  env: (name: string) => string | undefined = permittedEnv,
): typeof WANDB_MODES[number] {
  if (wandbMode !== null) return wandbMode;
  const given = env("WANDB_MODE");
  if (!given) return env("WANDB_API_KEY") ? "online" : "offline";
  const mode = WANDB_MODES.find((one) => one === given);
  if (mode !== undefined) return mode;
  throw new ConfigError(
    `WANDB_MODE must be online or offline, but it is "${given}"`,
    {
      hint: "correct WANDB_MODE, or pass --set tracking.wandbMode=offline",
    },
  );
}

/**
 * Checks whether an enabled tracker is reached over the network.
 * @throws {ConfigError} If `WANDB_MODE` is needed, and its value is neither `online` nor `offline`.
 */
export function needsNetwork(config: TrackingConfig): boolean {
  return config.mlflow || config.trackio ||
    config.wandb && wandbModeOf(config) === "online";
}
