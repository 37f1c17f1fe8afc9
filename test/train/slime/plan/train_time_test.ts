import assert from "node:assert/strict";
import type { AnyMetrics } from "../../../../train/runs/metrics.ts";
import { METRICS_VERSION } from "../../../../train/runs/metrics.ts";
import { newRunInfo } from "../../../../train/runs/run_info.ts";
import { SlimeRun } from "../../../../train/slime/launch/slime_run.ts";
import {
  measuredTraining,
  trainingRates,
} from "../../../../train/slime/plan/measured_training.ts";
import { planLaunch } from "../../../../train/slime/plan/slime_plan.ts";
import {
  ASSUMED_TRAINING,
  episodeOperations,
  passes,
  timeForecast,
} from "../../../../train/slime/plan/train_time.ts";
import { MODEL_SHAPES } from "../../../../train/slime/model_shapes.ts";
import { slimeFactsOf, slimeOf } from "../../../support/slime_plan.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

/** Checks that two numbers are nearly equal, relative to their size. */
function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual / expected - 1) < 1e-3, `${actual} ${expected}`);
}

/**
 * Counts the floating-point operations of a forward pass as slime does: the sum over the query, key and value
 * projections, attention, the output projection, the MLP, and the output layer.
 */
function countedAsSlime(name: keyof typeof MODEL_SHAPES, tokens: number) {
  const { layers, hidden, ffn, heads, kvGroups, headDim, vocab } =
    MODEL_SHAPES[name];
  const inside = 2 * tokens * hidden * headDim * (heads + 2 * kvGroups) +
    2 * heads * tokens ** 2 * headDim +
    2 * tokens * heads * headDim * hidden +
    6 * tokens * hidden * ffn;
  return layers * inside + 2 * tokens * hidden * vocab;
}

Deno.test("episodeOperations() counts a forward pass like slime, except for norms", () => {
  for (const name of ["Qwen3-0.6B", "Qwen3-4B", "Qwen3-8B"] as const) {
    for (const tokens of [1, 1_000, 30_000]) {
      near(
        episodeOperations(MODEL_SHAPES[name], tokens),
        countedAsSlime(name, tokens),
      );
    }
  }
});

Deno.test("passes() returns the number of passes that slime computes per token", async () => {
  const cases: [string[], number][] = [
    [[], 4], // forward, backward (two passes), and the recomputed forward
    [["parallel.recompute=null"], 3],
    [["algorithm.klLoss=true"], 5],
    [["rollout.globalBatchSize=128"], 5], // two steps need the old log probabilities
    [["rollout.globalBatchSize=128", "algorithm.engineLogprobs=true"], 4],
    [["algorithm.advantage=gspo"], 5],
  ];
  for (const [sets, expected] of cases) {
    const slime = await slimeOf("qwen3-4b", ...sets);
    assert.equal(passes(slime), expected, sets.join());
  }
});

Deno.test("timeForecast() adds up the parts of a rollout, or overlaps them if training is asynchronous", async () => {
  const apart = ["cluster.colocate=false", "cluster.rolloutGpus=2"];
  const planned = async (...sets: string[]) =>
    planLaunch(await slimeOf("qwen3-4b", ...sets), slimeFactsOf()).time;
  const { rollout, operations, run } = await planned();
  const { sampling, training, transfer, total } = rollout;
  near(
    operations,
    256 * 4 * episodeOperations(MODEL_SHAPES["Qwen3-4B"], 6_300),
  );
  near(training, operations / (2 * 989e12 * 0.4));
  near(total, sampling + training + transfer);
  assert.ok(run > 500 * total);
  const step = await planned(...apart, "algorithm.async=one-step");
  near(
    step.rollout.total,
    Math.max(step.rollout.sampling, step.rollout.training) +
      step.rollout.transfer,
  );
  const slower = await planned("cluster.gpuTflops=312");
  near(slower.rollout.training / training, 989 / 312);
});

Deno.test("trainingRates() measures utilization and transfer from a run's log", async () => {
  const slime = await slimeOf("qwen3-4b");
  const line = (slime: Record<string, number>) =>
    ({ phase: "rl", slime }) as unknown as AnyMetrics;
  const lines = [
    line({
      "perf/actor_train_tflops": 200,
      "perf/update_weights_time": 3,
      "perf/sleep_time": 1,
    }),
    line({ "perf/actor_train_tflops": 250, "perf/update_weights_time": 4 }),
    line({ "perf/rollout_time": 9 }),
    { phase: "eval" } as unknown as AnyMetrics,
  ];
  const rates = trainingRates(slime, { lines, measuredOn: "runs/a" });
  assert.equal(rates?.rollouts, 2);
  near(rates!.utilisation, 225 * 4 / 3 / 989);
  // By slime's count, the training pass takes as long as in the measured run.
  const { forecast: expected } = planLaunch(slime, slimeFactsOf());
  const time = timeForecast(slime, { expected, rates: rates! });
  near(time.rollout.transfer, 4);
  near(time.rollout.training, time.operations * 3 / 4 / (2 * 225e12));
  assert.equal(
    trainingRates(slime, { lines: lines.slice(2), measuredOn: "runs/a" }),
    null,
  );
  assert.equal(ASSUMED_TRAINING.measuredOn, null);
});

Deno.test("measuredTraining() reads a slime run, and returns null for other runs", () =>
  inTempDir(async (dir) => {
    const { config } = await slimeOf("qwen3-4b", "cluster.gpuTflops=500");
    const about = {
      seed: 1,
      dataset: { name: "d", fingerprint: "f" },
      now: new Date(0),
    };
    const path = `${dir}/a1`;
    {
      const info = await newRunInfo({ trainer: "slime", ...about });
      await using run = await SlimeRun.create(path, { config, info });
      await run.record([{
        schemaVersion: METRICS_VERSION,
        step: 1,
        phase: "rl",
        lengths: {},
        optimizerSteps: 1,
        slime: { "perf/actor_train_tflops": 150, "perf/log_probs_time": null },
        timing: { seconds: {} },
        failures: {},
      }]);
    }
    const rates = await measuredTraining(path);
    near(rates!.utilisation, 150 * 4 / 3 / 500);
    assert.equal(rates!.transferBytesPerS, ASSUMED_TRAINING.transferBytesPerS);
    const other = `${dir}/e1`;
    await Deno.mkdir(other);
    const info = await newRunInfo({ kind: "evaluate", ...about });
    await Deno.writeTextFile(`${other}/run.json`, JSON.stringify(info));
    assert.equal(await measuredTraining(other), null);
  }));
