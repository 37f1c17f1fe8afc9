import assert from "node:assert/strict";
import { ConfigError } from "../../../env/errors.ts";
import { configKeys } from "../../../train/config/config.ts";
import {
  isSlimeRecipe,
  resolveSlime,
} from "../../../train/slime/slime_config.ts";
import { slimeSchema } from "../../../train/slime/slime_schema.ts";

const text = await Deno.readTextFile(
  new URL("../../../train/recipes/qwen3-4b.yaml", import.meta.url),
);
const recipe = { name: "qwen3-4b.yaml", text };

function set(path: string, value: unknown) {
  return { path: path.split("."), value, origin: `--set ${path}` };
}

Deno.test("resolveSlime() has the defaults of slime's example", () => {
  const { config, model, batch } = resolveSlime(recipe);
  assert.ok(isSlimeRecipe(recipe));
  assert.ok(!isSlimeRecipe({ name: "other", text: "seed: 1" }));
  assert.equal(config.model.name, "Qwen3-4B-Instruct-2507");
  assert.equal(model.ropeBase, 5_000_000);
  assert.equal(batch.rolloutBatchSize * batch.samplesPerPrompt, 256);
  assert.equal(batch.globalBatchSize, 256);
  assert.equal(batch.rolloutNumGpus, 2);
  assert.equal(batch.samples, 256);
});

Deno.test("resolveSlime() rejects a recipe that cannot run, with all of its faults", () => {
  const cases: [string, unknown, RegExp][] = [
    ["rollout.groupSize", 1, /rollout\.filter/],
    ["rollout.maxContextLen", 512, /no room for a prompt/],
    ["parallel.tensor", 1, /parallel\.sequence/],
    ["cluster.colocate", false, /cluster\.rolloutGpus/],
    ["cluster.hosts", ["a", "b"], /cluster\.nodes is 1/],
    ["checkpoint.directory", "/root/Qwen3-4B-Instruct-2507", /another/],
    ["eval.splits", [], /eval\.every/],
    ["rollout.batchSizes", 3, /batchSize/],
    ["cluster.agentPort", 70_000, /cluster\.agentPort.*65535/],
    ["parallel.tensor", 3, /not divisible/],
    ["cluster.rolloutGpus", 1, /set cluster\.rolloutGpus to null/],
    ["engine.gpus", 3, /a divisor of 8/],
    ["flags.num-epoch", 3, /rollout\.steps/],
    ["cluster.nodes", 2, /cluster\.hosts is empty/],
    ["cluster.hostGpus", 1, /raise cluster\.hostGpus/],
    ["cluster.tempDir", `/${"a".repeat(60)}`, /shorter path/],
    ["cluster.env", { WANDB_API_KEY: "x" }, /dashboard can read/],
    ["cluster.env", { PYTHONPATH: "/x" }, /paths\.megatron/],
    ["rollout.maxContextLen", 300_000, /262144 tokens/],
    ["rollout.stepsPerRollout", 2, /set rollout\.stepsPerRollout to null/],
    ["eval.splits", ["dev", "dev"], /twice/],
    ["parallel.recompute", "selective", /recomputeMethod/],
    ["parallel.recomputeMethod", null, /uniform/],
    ["algorithm.advantage", "reinforce_plus_plus", /normalizeAdvantages/],
    ["algorithm.async", "one-step", /set cluster\.colocate to false/],
    ["flags.rollout-function-path", "a.b", /derived from algorithm\.async/],
    ["algorithm.klLossCoef", 0.01, /no KL term/],
    ["flags.lr", 1, /optimizer\.learningRate/],
  ];
  for (const [key, value, message] of cases) {
    assert.throws(
      () => resolveSlime(recipe, [set(key, value)]),
      (error) => error instanceof ConfigError && message.test(error.message),
      key,
    );
  }
});

Deno.test("resolveSlime() rejects hosts that are named twice, and contradictory settings of engines", () => {
  const twice = [set("cluster.nodes", 2), set("cluster.hosts", ["a", "a"])];
  assert.throws(
    () => resolveSlime(recipe, twice),
    /cluster\.hosts lists "a" twice/,
  );
  const both = [
    set("algorithm.engineLogprobs", true),
    set("algorithm.importanceSampling", true),
  ];
  assert.throws(() => resolveSlime(recipe, both), /cannot both be true/);
});

Deno.test("resolveSlime() offers as many GPUs per host as the run needs, unless the recipe sets them", () => {
  const apart = [
    set("cluster.colocate", false),
    set("cluster.rolloutGpus", 4),
  ];
  assert.equal(resolveSlime(recipe).hostGpus, 2);
  assert.equal(resolveSlime(recipe, apart).hostGpus, 6);
  const given = [...apart, set("cluster.hostGpus", 8)];
  assert.equal(resolveSlime(recipe, given).hostGpus, 8);
  const spread = [
    ...apart,
    set("cluster.hosts", ["a", "b", "c"]),
  ];
  assert.equal(resolveSlime(recipe, spread).hostGpus, 2);
});

Deno.test("every key of a slime recipe has a description", () => {
  const silent = configKeys(slimeSchema).filter(({ description }) =>
    description === ""
  );
  assert.deepEqual(silent, []);
});

Deno.test("resolveSlime() keeps τ-bench and an llm user next to other keys", () => {
  const { config } = resolveSlime(recipe, [
    set("data.directory", "elsewhere"),
    set("user.attempts", 3),
  ]);
  assert.equal(config.data.source, "tau-bench");
  assert.equal(config.data.directory, "elsewhere");
  assert.equal(config.user.strategy, "llm");
});
