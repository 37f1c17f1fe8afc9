import assert from "node:assert/strict";
import { makeConfig } from "../../../train/config/config.ts";
import { dataOfSplit, sampleOf } from "../../../train/config/sampled_data.ts";

const MANY = 1_000_000_000;

Deno.test("sampleOf() limits the tasks of each large split, and returns their original number", () => {
  const { data: asked } = makeConfig({
    data: { generated: { trainTasks: MANY, devTasks: 5, testTasks: MANY } },
  });
  const { data, asked: counts } = sampleOf(asked, 7);
  const { trainTasks, devTasks, testTasks } = data.generated;
  assert.deepEqual([trainTasks, devTasks, testTasks], [7, 5, 7]);
  assert.deepEqual(counts, { train: MANY, test: MANY });
  assert.equal(asked.generated.trainTasks, MANY);
});

Deno.test("sampleOf() reads the section of the source and the domain", () => {
  const airline = makeConfig({
    data: {
      domain: "airline",
      airline: { trainTasks: MANY },
      generated: { trainTasks: MANY },
    },
  });
  const drawn = sampleOf(airline.data, 7);
  assert.equal(drawn.data.airline.trainTasks, 7);
  assert.equal(drawn.data.generated.trainTasks, MANY);
  const rows = makeConfig({
    data: { source: "tau-bench", rows: { trainTasks: MANY } },
  });
  assert.equal(sampleOf(rows.data, 7).data.rows.trainTasks, 7);
});

Deno.test("sampleOf() does not change small data", () => {
  const { data } = makeConfig({});
  assert.deepEqual(sampleOf(data), { data, asked: {} });
});

Deno.test("makeConfig() rejects more steps than a plan can list", () => {
  for (const phase of ["coldStart", "rft", "rl"]) {
    assert.throws(() => makeConfig({ [phase]: { steps: MANY } }), /steps/);
  }
});

Deno.test("dataOfSplit() draws no train tasks over rows for another split, unless exclusions may name them", () => {
  const { data } = makeConfig({
    data: {
      source: "tau-bench",
      rows: { trainTasks: 10 },
    },
  });
  const drawn = (split: "train" | "test", exclude: string | null = null) =>
    dataOfSplit({ ...data, exclude }, split).rows;
  assert.deepEqual(drawn("test"), { ...data.rows, trainTasks: 0 });
  assert.deepEqual(drawn("train"), data.rows);
  assert.deepEqual(drawn("test", "exclusions.yaml"), data.rows);
});
