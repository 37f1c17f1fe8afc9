import assert from "node:assert/strict";
import { ConfigError } from "../../../env/errors.ts";
import {
  batchShape,
  isSlimeRecipe,
  resolveSlime,
} from "../../../train/slime/config.ts";

const text = await Deno.readTextFile(
  new URL("../../../train/recipes/qwen3-4b.yaml", import.meta.url),
);
const recipe = { name: "qwen3-4b.yaml", text };

function set(path: string, value: unknown) {
  return { path: path.split("."), value, origin: `--set ${path}` };
}

Deno.test("resolveSlime() has slime's example for its defaults", () => {
  const config = resolveSlime(recipe);
  assert.ok(isSlimeRecipe(recipe));
  assert.ok(!isSlimeRecipe({ name: "other", text: "seed: 1" }));
  assert.equal(config.model.name, "Qwen3-4B-Instruct-2507");
  const shape = batchShape(config);
  assert.equal(shape.rolloutBatchSize * shape.samplesPerPrompt, 256);
  assert.equal(shape.globalBatchSize, 256);
  assert.equal(shape.rolloutNumGpus, 2);
});

Deno.test("resolveSlime() refuses what cannot run, and says all of it", () => {
  const cases: [string, unknown, RegExp][] = [
    ["rollout.groupSize", 1, /rollout\.filter/],
    ["rollout.maxContextLen", 512, /no room for a prompt/],
    ["parallel.tensor", 1, /parallel\.sequence/],
    ["cluster.colocate", false, /cluster\.rolloutGpus/],
    ["cluster.hosts", ["a", "b"], /cluster\.nodes is 1/],
    ["checkpoint.directory", "/root/Qwen3-4B-Instruct-2507", /another/],
    ["eval.splits", [], /eval\.every/],
    ["rollout.batchSizes", 3, /batchSize/],
    ["parallel.tensor", 3, /do not divide/],
  ];
  for (const [key, value, message] of cases) {
    assert.throws(
      () => resolveSlime(recipe, [set(key, value)]),
      (error) => error instanceof ConfigError && message.test(error.message),
      key,
    );
  }
});

Deno.test("resolveSlime() keeps τ-bench and an llm customer beside other keys", () => {
  const config = resolveSlime(recipe, [
    set("data.directory", "elsewhere"),
    set("user.attempts", 3),
  ]);
  assert.equal(config.data.source, "tau-bench");
  assert.equal(config.data.directory, "elsewhere");
  assert.equal(config.user.strategy, "llm");
});
