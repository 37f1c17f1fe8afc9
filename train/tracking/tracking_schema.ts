/**
 * The recipe section `tracking`: trackers that show a run in addition to its run dir. slime's section has keys of the
 * same names.
 */

import { z } from "zod";

/** The supported trackers, by their keys in a recipe. */
export const TRACKERS = ["tensorboard", "mlflow", "trackio"] as const;

/** Name of a tracker. */
export type TrackerName = typeof TRACKERS[number];

/** The schema of the section. Trackers may be changed on resume, because they do not affect training. */
export const trackingSchema = z.strictObject({
  tensorboard: z.boolean().default(false).describe(
    "Write TensorBoard's event files into the directory tensorboard of the run dir",
  ),
  mlflow: z.boolean().default(false).describe(
    "Log to an MLflow server; its credentials are MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
  ),
  mlflowUrl: z.url({ protocol: /^https?$/ }).nullable().default(null).describe(
    "The MLflow server; null is MLFLOW_TRACKING_URI",
  ),
  trackio: z.boolean().default(false).describe(
    "Log to a trackio server; its token is TRACKIO_WRITE_TOKEN",
  ),
  trackioUrl: z.url({ protocol: /^https?$/ }).nullable().default(null).describe(
    "The trackio server; null is TRACKIO_SERVER_URL",
  ),
  project: z.string().min(1).default("taulab").describe(
    "Project (trackio) or experiment (MLflow) of the run",
  ),
}).meta({ mayChange: true });

/** The resolved section. */
export type TrackingConfig = Readonly<z.infer<typeof trackingSchema>>;

/** Returns the trackers that a config enables. */
export function trackersIn(config: TrackingConfig): TrackerName[] {
  const asked: Readonly<Partial<Record<string, unknown>>> = config;
  return TRACKERS.filter((name) => asked[name] === true);
}

/** Whether an enabled tracker is reached over the network. */
export function needsNetwork(config: TrackingConfig): boolean {
  return config.mlflow || config.trackio;
}
