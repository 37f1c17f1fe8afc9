import assert from "node:assert/strict";
import { createRng } from "../../env/random.ts";
import { pickBatch } from "../../train/batch.ts";
import { learningRateAt } from "../../train/schedule.ts";
import { Stopwatch } from "../../train/progress/stopwatch.ts";

Deno.test("learningRateAt() warms up to the peak and decays to its share", () => {
  const schedule = {
    learningRate: 1,
    warmupSteps: 4,
    finalShare: 0.1,
    steps: 24,
  };
  assert.deepEqual([1, 2, 4].map((step) => learningRateAt(step, schedule)), [
    0.25,
    0.5,
    1,
  ]);
  assert.ok(Math.abs(learningRateAt(24, schedule) - 0.1) < 1e-12);
  for (let step = 5; step <= 24; step++) {
    assert.ok(
      learningRateAt(step, schedule) < learningRateAt(step - 1, schedule),
    );
  }
});

Deno.test("learningRateAt() without warm-up or decay is constant", () => {
  const schedule = { learningRate: 3, warmupSteps: 0, finalShare: 1, steps: 2 };
  assert.deepEqual([1, 2].map((step) => learningRateAt(step, schedule)), [
    3,
    3,
  ]);
});

Deno.test("pickBatch() uses every demonstration once before it repeats any", () => {
  const sequences = Array.from({ length: 10 }, (_, i) => ({
    ids: [i],
    lossMask: [1],
    logprobs: [0],
    advantage: 1,
  }));
  const size = 1 + createRng("size").int(4) * 2 + 1;
  const seen = Array.from(
    { length: 30 },
    (_, i) => pickBatch(sequences, { seed: 1, step: i + 1, size }),
  )
    .flat().map(({ ids }) => ids[0]!);
  for (let at = 0; at + 10 <= seen.length; at += 10) {
    assert.equal(new Set(seen.slice(at, at + 10)).size, 10);
  }
  assert.notDeepEqual(seen.slice(0, 10), seen.slice(10, 20));
});

Deno.test("pickBatch() rejects an empty list", () => {
  const pick = () => pickBatch([], { seed: 1, step: 1, size: 2 });
  assert.throws(pick, { name: "RangeError", message: /no demonstration/ });
});

Deno.test("Stopwatch adds up phases between laps", async () => {
  let nowMs = 0;
  const watch = new Stopwatch(() => nowMs);
  const work = (ms: number) => () => {
    nowMs += ms;
    return Promise.resolve();
  };
  await watch.time("rollout", work(500));
  await watch.time("rollout", work(500));
  nowMs += 1000;
  assert.deepEqual(watch.lap(), { rollout: 1, total: 2 });
  await watch.time("update", work(250));
  assert.deepEqual(watch.lap(), { update: 0.25, total: 0.25 });
});
