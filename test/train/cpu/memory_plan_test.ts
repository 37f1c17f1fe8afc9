import assert from "node:assert/strict";
import { memoryPlan, processGrowth } from "../../../train/cpu/memory_plan.ts";
import { createCpuPolicy, DEFAULT_MODEL } from "../../../train/cpu/policy.ts";
import { randomBatch } from "./_toy.ts";

Deno.test("memoryPlan() estimates the memory that training and sampling take", async () => {
  const longest = 3000;
  const sessions = 8;
  const plan = await memoryPlan(DEFAULT_MODEL, {
    threads: 2,
    longest,
    cacheTokens: sessions * 512,
    reference: true,
  });
  await using policy = await createCpuPolicy({
    config: DEFAULT_MODEL,
    seed: 1,
    threads: 2,
    maxCacheTokens: sessions * 512,
  });
  const trainer = policy.trainer();
  trainer.setReference();
  await trainer.supervised(randomBatch(1, [longest, longest]), {
    learningRate: 0,
    maxGradNorm: 1,
  });
  await Promise.all(
    randomBatch(2, new Array(sessions).fill(500)).map((s, i) =>
      policy.generate({
        ids: Array.from(s.ids),
        session: `${i}`,
        maxTokens: 10,
        temperature: 1,
        stopIds: [],
        seed: i,
      })
    ),
  );
  const { bytes } = policy.usage;
  assert.ok(
    Math.abs(plan.total - bytes) < 0.2 * bytes,
    `${plan.total} planned, ${bytes} taken`,
  );
});

Deno.test("processGrowth() is small for short runs, and explains what a default run takes beyond its preparation", () => {
  const MiB = 2 ** 20;
  assert.ok(processGrowth(100) < 2 * MiB);
  // The plan's figure without growth was 421 MiB, and two default runs of 40,484 conversations took 608 and 692.
  const planned = 421 * MiB + processGrowth(40_484);
  for (const taken of [608 * MiB, 692 * MiB]) {
    assert.ok(Math.abs(planned - taken) < 0.15 * taken);
  }
  assert.equal(processGrowth(1e6), processGrowth(40_484));
});
