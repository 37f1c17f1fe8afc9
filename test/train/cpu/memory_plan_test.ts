import assert from "node:assert/strict";
import { memoryPlan } from "../../../train/cpu/memory_plan.ts";
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
