/** The section `tracking` of a recipe: where else than in its run dir a run is shown. Keys of one name are slime's too. */

import { z } from "zod";

/** The trackers there are, by their keys in a recipe. */
export const TRACKERS = ["tensorboard", "mlflow", "trackio"] as const;

/** A tracker's name. */
export type TrackerName = typeof TRACKERS[number];

/** A resumed run may be given other trackers: they change nothing of what it learns. */
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
    "What trackers list the run under: trackio's project, MLflow's experiment",
  ),
}).meta({ mayChange: true });

/** A resolved section. */
export type TrackingConfig = Readonly<z.infer<typeof trackingSchema>>;

/** The trackers that a config asks for. */
export function trackersIn(config: TrackingConfig): TrackerName[] {
  const asked: Readonly<Partial<Record<string, unknown>>> = config;
  return TRACKERS.filter((name) => asked[name] === true);
}

/** Whether a tracker is reached over the network. */
export function needsNetwork(config: TrackingConfig): boolean {
  return config.mlflow || config.trackio;
}
