/** Measures how fast an earlier slime run trained and transferred its weights, to forecast another run. */

import { mean } from "../../runs/episode_stats.ts";
import type { AnyMetrics, SlimeNumbers } from "../../runs/metrics.ts";
import { readRunInfo } from "../../runs/run_reader.ts";
import { readSlimeRun } from "../launch/slime_run.ts";
import { type ResolvedSlime, withDerived } from "../slime_config.ts";
import {
  ASSUMED_TRAINING,
  trainingPasses,
  type TrainingRates,
  weightBytes,
} from "./train_time.ts";

/**
 * Measures the training of a slime run. If the run did not log its weight transfers, their rate is assumed.
 * @returns The rates; `null` if the run was not trained by slime, or has not logged any training.
 * @throws {ConfigError} If the run does not exist.
 */
export async function measuredTraining(
  path: string,
): Promise<TrainingRates | null> {
  const { kind, trainer } = await readRunInfo(path);
  if (kind !== "train" || trainer !== "slime") return null;
  const { config, lines } = await readSlimeRun(path);
  return trainingRates(withDerived(config), { lines, measuredOn: path });
}

/** Computes the training rates from the lines of a run's metrics. Returns `null` if they contain no training. */
export function trainingRates(
  { config, model }: ResolvedSlime,
  { lines, measuredOn }: {
    readonly lines: readonly AnyMetrics[];
    readonly measuredOn: string;
  },
): TrainingRates | null {
  const logged = lines.flatMap((line) =>
    line.phase === "rl" && "slime" in line ? [line.slime] : []
  );
  const tflops = logged.flatMap((one) => one["perf/actor_train_tflops"] ?? []);
  if (tflops.length === 0) return null;
  const transfers = logged.map(transferSeconds).filter((one) => one > 0);
  return {
    measuredOn,
    rollouts: tflops.length,
    // slime counts three passes, but with recomputation the GPU runs more.
    utilisation: mean(tflops) * trainingPasses(config.parallel) / 3 /
      config.cluster.gpuTflops,
    transferBytesPerS: transfers.length === 0
      ? ASSUMED_TRAINING.transferBytesPerS
      : weightBytes(model) / mean(transfers),
  };
}

/**
 * Returns the time in seconds to send the weights to the engines and, with colocation, to move the trainer off the GPUs
 * and back; 0 if these times were not logged.
 */
function transferSeconds(logged: SlimeNumbers): number {
  return ["update_weights", "sleep", "wake_up"]
    .reduce((sum, name) => sum + (logged[`perf/${name}_time`] ?? 0), 0);
}
