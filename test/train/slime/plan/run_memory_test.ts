import assert from "node:assert/strict";
import {
  checkpointCount,
  memoryPlan,
  memoryWarnings,
} from "../../../../train/slime/plan/run_memory.ts";
import {
  MODEL_SHAPES,
  parameterCount,
} from "../../../../train/slime/model_shapes.ts";
import { slimeOf } from "../../../support/slime_plan.ts";

const EPISODE = { tokens: 6_000, promptTokens: 4_000 };

async function planOf(...sets: string[]) {
  return memoryPlan(await slimeOf("qwen3-8b", ...sets), EPISODE);
}

Deno.test("memoryPlan() uses Megatron's 6 + 12/d bytes per parameter", async () => {
  for (const [context, gpus] of [[1, 8], [2, 8], [1, 2]] as const) {
    const { training } = await planOf(
      `parallel.context=${context}`,
      `cluster.gpusPerNode=${gpus}`,
      "rollout.maxContextLen=9000",
    );
    const sharded = gpus / 2; // tensor 2; context ranks share the optimizer too
    const bytes = training.weights + training.gradients + training.optimizer;
    assert.equal(bytes / training.parameters, 6 + 12 / sharded);
  }
});

Deno.test("memoryPlan() divides the parameters among tensor and pipeline ranks, except for padding", async () => {
  const total = parameterCount(MODEL_SHAPES["Qwen3-8B"]);
  const half = await planOf();
  assert.ok(Math.abs(half.training.parameters * 2 / total - 1) < 0.001);
  const quarter = await planOf("parallel.pipeline=2");
  assert.ok(quarter.training.parameters < half.training.parameters);
  // The first stage has the embedding, the last one the output layer.
  assert.ok(quarter.training.parameters * 4 >= total);
});

Deno.test("memoryPlan() counts the longest episode if it is longer than a micro-batch", async () => {
  const short = await planOf("rollout.maxContextLen=9000");
  const long = await planOf(
    "rollout.maxContextLen=32768",
    "parallel.context=1",
    "rollout.maxResponseLen=1024",
  );
  assert.equal(short.microBatchTokens, 9216);
  assert.equal(long.microBatchTokens, 32_768);
  assert.ok(long.training.total > long.gpu);
});

Deno.test("memoryPlan() divides experts among their own ranks, and keeps all of them in an engine", async () => {
  const of = async (...sets: string[]) =>
    memoryPlan(await slimeOf("qwen3-30b-a3b", ...sets), EPISODE);
  const onGpu = "flags={}";
  const eight = await of(onGpu);
  const one = await of("parallel.expert=1", onGpu);
  const experts = 48 * 128 * 3 * 2048 * 768;
  const without = one.training.parameters - experts;
  assert.equal(eight.training.parameters, without + experts / 8);
  // The optimizer of an expert is divided among the ranks that hold the same expert: with eight ranks and eight parts,
  // there is only one.
  const shared = eight.training.optimizer - 12 * experts / 8;
  assert.equal(shared, 12 * without / 2);
  assert.equal(one.training.optimizer, shared + 12 * experts / 8);
  assert.equal(eight.engine.weights, one.engine.weights);
  // With the optimizer in host memory, as in the recipe, one GPU is enough.
  const recipe = await of();
  assert.equal(recipe.training.optimizer, 0);
  assert.equal(recipe.host, eight.host);
  assert.ok(eight.training.total > eight.gpu);
  assert.ok(recipe.training.total < recipe.gpu);
});

Deno.test("memoryPlan() counts more activations if less is recomputed", async () => {
  const full = await planOf();
  const none = await planOf("parallel.recompute=null");
  assert.ok(none.training.activations > 5 * full.training.activations);
});

Deno.test("memoryPlan() counts 14 bytes per parameter for a checkpoint, and 2 in Hugging Face's format", async () => {
  const slime = await slimeOf(
    "qwen3-4b",
    "checkpoint.huggingFace=/hf",
    "rollout.steps=41",
  );
  const { disk } = memoryPlan(slime, EPISODE);
  const parameters = parameterCount(MODEL_SHAPES["Qwen3-4B"]);
  assert.equal(disk.checkpoint, 14 * parameters);
  assert.equal(disk.huggingFace, 2 * parameters);
  assert.equal(disk.total, 3 * 16 * parameters);
});

Deno.test("checkpointCount() counts checkpoints like slime: after each interval, and after the last rollout", () => {
  for (const steps of [1, 19, 20, 21, 40, 41]) {
    for (const every of [1, 7, 20]) {
      const saves = Array.from({ length: steps }, (_, id) => id)
        .filter((id) => (id + 1) % every === 0 || id === steps - 1);
      assert.equal(checkpointCount(steps, every), saves.length);
    }
  }
});

Deno.test("memoryWarnings() reports what does not fit, with the key to change", async () => {
  const cases: [string[], RegExp][] = [
    [
      ["cluster.gpuMemoryGb=40"],
      /training needs about .* but a GPU has 40\.0 GB/,
    ],
    [["cluster.gpuMemoryGb=20"], /but its weights take/],
    [["engine.memory=0.98"], /lower engine\.memory/],
    [["cluster.gpuMemoryGb=24"], /but an episode may have/],
    [["engine.concurrency=512"], /lower engine\.concurrency/],
    [["engine.memory=0.7"], /its own micro-batch/],
  ];
  for (const [sets, message] of cases) {
    const slime = await slimeOf("qwen3-8b", ...sets);
    const warnings = memoryWarnings(memoryPlan(slime, EPISODE), slime.config);
    assert.ok(
      warnings.some((warning) => message.test(warning)),
      `${sets}: ${warnings.join("\n")}`,
    );
  }
});

Deno.test("memoryWarnings() returns nothing if everything fits", async () => {
  const slime = await slimeOf(
    "qwen3-8b",
    "rollout.maxContextLen=16384",
    "parallel.maxTokensPerGpu=8192",
  );
  assert.deepEqual(
    memoryWarnings(memoryPlan(slime, EPISODE), slime.config),
    [],
  );
});
