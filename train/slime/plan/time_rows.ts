/** Formats the forecast of a run's time as rows of a table. */

import { duration, percent } from "../../progress/amounts.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { isAsync } from "./async_mode.ts";
import type { TimeForecast } from "./train_time.ts";

/**
 * Returns the rows: the parts of a rollout with their shares of its time, the whole rollout, the whole run, and the
 * source of the rates.
 */
export function timeRows(
  config: SlimeConfig,
  { rates, operations, rollout, run }: TimeForecast,
): string[][] {
  const { cluster } = config;
  const { sampling, training, transfer, total } = rollout;
  const part = (seconds: number) =>
    `${duration(seconds)} (${percent(seconds / total)})`;
  return [
    ["sampling", `about ${part(sampling)}`, "see Simulated users"],
    [
      "training",
      `about ${part(training)}`,
      `${(operations / 1e15).toPrecision(3)} PFLOP at ${
        percent(rates.utilisation)
      } of ${cluster.gpuTflops} TFLOP/s per GPU`,
    ],
    ["weight transfer", `about ${part(transfer)}`, "to the engines"],
    [
      "per rollout",
      `about ${duration(total)}`,
      isAsync(config) ? "sampling and training overlap" : "in sequence",
    ],
    [
      "whole run",
      `about ${duration(run)}`,
      "excluding startup, checkpoints and dropped groups",
    ],
    [
      "source",
      rates.measuredOn === null
        ? "assumed training rates"
        : `training of ${rates.measuredOn}`,
      rates.measuredOn === null
        ? "pass --rates-from RUN for the rates of a slime run"
        : `${rates.rollouts} rollouts`,
    ],
  ];
}
