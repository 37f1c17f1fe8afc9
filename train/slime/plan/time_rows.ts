/** Formats the forecast of a run's time as rows of text. */

import { duration, percent } from "../../progress/amounts.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { isAsync } from "./async_mode.ts";
import type { TimeForecast } from "./train_time.ts";

/** Returns a row per part of a rollout, with its share, and one for the run. */
export function timeRows(
  config: SlimeConfig,
  { rates, operations, rollout, run }: TimeForecast,
): string[][] {
  const { cluster } = config;
  const { sampling, training, transfer, total } = rollout;
  const part = (seconds: number) =>
    `${duration(seconds)} (${percent(seconds / total)})`;
  return [
    ["sampling", `about ${part(sampling)}`, "see Users"],
    [
      "training",
      `about ${part(training)}`,
      `${(operations / 1e15).toPrecision(3)} PFLOP at ${
        percent(rates.utilisation)
      } of ${cluster.gpuTflops} TFLOP/s a GPU`,
    ],
    ["weights", `about ${part(transfer)}`, "into the engines"],
    [
      "a rollout",
      `about ${duration(total)}`,
      isAsync(config) ? "sampling and training at once" : "one after another",
    ],
    [
      "the run",
      `about ${duration(run)}`,
      "without its start, its checkpoints and dropped groups",
    ],
    [
      "from",
      rates.measuredOn === null
        ? "assumptions of training"
        : `training of ${rates.measuredOn}`,
      rates.measuredOn === null
        ? "--rates-from RUN takes those of a slime run"
        : `${rates.rollouts} rollouts`,
    ],
  ];
}
