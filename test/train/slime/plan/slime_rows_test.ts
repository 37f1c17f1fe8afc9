import assert from "node:assert/strict";
import { generated } from "../../../../env/generated/generated.ts";
import { retailOptionsSchema } from "../../../../env/domains/retail/world/options.ts";
import { ConfigError } from "../../../../env/errors.ts";
import {
  planData,
  planSplits,
} from "../../../../train/slime/plan/slime_rows.ts";
import { slimeOf } from "../../../support/slime_plan.ts";

const dataset = await generated(
  1,
  retailOptionsSchema.parse({ trainTasks: 12, devTasks: 3, testTasks: 2 }),
);

Deno.test("planData() returns a line for each task, with its domain and split", async () => {
  const { config } = await slimeOf("qwen3-0.6b", "eval.splits=[test, dev]");
  const { rows } = planData(dataset, config);
  assert.deepEqual(rows.map(({ split, rows }) => [split, rows]), [
    ["train", 12],
    ["test", 2],
    ["dev", 3],
  ]);
  for (const { split, text, rows: count } of rows) {
    const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(lines.length, count);
    lines.forEach((line, index) => {
      assert.equal(line.index, index);
      assert.equal(line.metadata.env, "retail");
      assert.equal(line.metadata.split, split);
    });
  }
});

Deno.test("planSplits() omits splits that are never evaluated", async () => {
  const { config } = await slimeOf("qwen3-0.6b", "eval.every=0");
  assert.deepEqual(planSplits(config), ["train"]);
});

Deno.test("planData() rejects a split that the dataset does not have", async () => {
  const { config } = await slimeOf("qwen3-0.6b");
  const without = (split: string) => ({
    ...dataset,
    tasks: (one: "train" | "dev" | "test") => dataset.tasks(one),
    splits: dataset.splits.filter((one) => one !== split),
  });
  for (
    const [split, message] of [
      ["dev", /eval\.splits names dev/],
      ["train", /no tasks to train on/],
    ] as const
  ) {
    assert.throws(
      () => planData(without(split), config),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
  }
});
