import assert from "node:assert/strict";
import { TrainerError } from "../../../env/errors.ts";
import { createRng } from "../../../env/random.ts";
import { createCpuPolicy } from "../../../train/cpu/policy.ts";
import {
  advantageAt,
  type PolicyLoss,
  type TrainSequence,
} from "../../../train/trainer.ts";
import { randomBatch, TOY } from "./_toy.ts";

const STEP = { learningRate: 3e-3, maxGradNorm: 1 };
const LOSS: PolicyLoss = {
  clipLow: 0.2,
  clipHigh: 0.28,
  klCoef: 0,
  entropyCoef: 0,
};
const START = 1;
const COPY = 2;
const SYMBOLS = 40;

/** Creates a sequence `START a b c … COPY a b c …`. The tokens after COPY can only be predicted by copying. */
function copyTask(seed: number, length = 8): TrainSequence {
  const rng = createRng(seed, "copy");
  const word = Array.from({ length }, () => 8 + rng.int(SYMBOLS));
  const ids = [START, ...word, COPY, ...word];
  return {
    ids,
    lossMask: ids.map((_, t) => (t > length + 1 ? 1 : 0)),
    logprobs: ids.map(() => 0),
    advantage: 0,
  };
}

Deno.test("supervised() learns to copy in seconds, and greedy sampling then copies", async () => {
  await using policy = await createCpuPolicy({
    config: TOY,
    seed: 1,
    threads: 2,
  });
  const trainer = policy.trainer();
  let loss = Infinity;
  for (let step = 0; step < 250; step++) {
    const batch = Array.from({ length: 32 }, (_, i) => copyTask(step * 32 + i));
    loss = (await trainer.supervised(batch, {
      learningRate: 1e-2 * Math.min(1, (250 - step) / 200),
      maxGradNorm: 1,
    })).loss;
  }
  assert.ok(loss < 0.1, `loss ${loss}`);
  const tests = Array.from({ length: 40 }, (_, i) => copyTask(1e6 + i));
  const answers = await Promise.all(
    tests.map((t, i) =>
      policy.generate({
        ids: Array.from(t.ids).slice(0, 10),
        session: `${i}`,
        maxTokens: 8,
        temperature: 0,
        stopIds: [],
        seed: 0,
      })
    ),
  );
  const right = answers.filter((a, i) =>
    a.ids.join() === Array.from(tests[i]!.ids).slice(10).join()
  );
  assert.ok(right.length >= 36, `${right.length} of 40 copied`);
});

Deno.test("reinforce() raises the probability of rewarded tokens", async () => {
  await using policy = await createCpuPolicy({
    config: TOY,
    seed: 2,
    threads: 2,
  });
  const trainer = policy.trainer();
  async function round(step: number): Promise<number> {
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        policy.generate({
          ids: [START, 3],
          session: `${step} ${i}`,
          maxTokens: 1,
          temperature: 1,
          stopIds: [],
          seed: step * 64 + i,
        })),
    );
    // Answers that begin with an even token id earn the reward.
    const rewards = answers.map((a) => a.ids[0]! % 2 === 0 ? 1 : 0);
    const mean = rewards.reduce((a: number, b) => a + b, 0) / 64;
    const batch = answers.map((a, i) => ({
      ids: [START, 3, ...a.ids],
      lossMask: [0, 0, 1],
      logprobs: [0, 0, ...a.logprobs],
      advantage: rewards[i]! - mean,
    }));
    const stats = await trainer.reinforce(batch, { ...STEP, ...LOSS });
    assert.ok(stats.klOld < 1e-8, `ratio is not 1: ${stats.klOld}`);
    assert.equal(stats.clipShare, 0);
    assert.equal(stats.lossTokens, 64);
    assert.equal(stats.tokens, 192);
    return mean;
  }
  const first = await round(0);
  for (let step = 1; step < 30; step++) await round(step);
  const last = await round(30);
  assert.ok(first < 0.7 && last > 0.9, `${first} → ${last}`);
});

Deno.test("a step gives the same bits for the same seed and threads, and nearly the same with another number of threads", async () => {
  async function train(threads: number): Promise<Float32Array> {
    await using policy = await createCpuPolicy({
      config: TOY,
      seed: 5,
      threads,
    });
    const trainer = policy.trainer();
    for (let step = 0; step < 4; step++) {
      const batch = randomBatch(step, [60, 33, 200, 7, 90, 128]);
      await trainer.supervised(batch, STEP);
      if (step === 1) trainer.setReference();
      if (step > 1) {
        await trainer.reinforce(batch, {
          ...STEP,
          ...LOSS,
          klCoef: 0.1,
          entropyCoef: 0.01,
        });
      }
    }
    return policy.weights();
  }
  const once = await train(2);
  assert.deepEqual(await train(2), once);
  const alone = await train(1);
  const most = once.reduce(
    (m, w, i) => Math.max(m, Math.abs(w - alone[i]!)),
    0,
  );
  assert.ok(most > 0 && most < 1e-2, `differs by ${most}`);
});

Deno.test("reinforce() reports the KL to the reference, the entropy and the clipped share", async () => {
  await using policy = await createCpuPolicy({
    config: TOY,
    seed: 6,
    threads: 2,
  });
  const trainer = policy.trainer();
  const batch = randomBatch(9, [80, 50]);
  trainer.setReference();
  const still = { learningRate: 0, maxGradNorm: 1 };
  const same = await trainer.reinforce(batch, {
    ...still,
    ...LOSS,
    klCoef: 1,
  });
  assert.equal(same.klReference, 0);
  // The recorded log probabilities of 0 are far too high, so every ratio is low and exactly the negative advantages are
  // clipped.
  const { results } = await trainer.gradient(batch, { ...LOSS });
  const negative =
    results.filter((r) => advantageAt(batch[r.index]!, r.position) < 0).length;
  assert.equal(same.clipShare, negative / results.length);
  const entropy = results.reduce((sum, r) => sum + r.entropy, 0);
  assert.ok(Math.abs(same.entropy - entropy / results.length) < 1e-9);
  await trainer.supervised(batch, STEP);
  const moved = await trainer.reinforce(batch, {
    ...still,
    ...LOSS,
    klCoef: 1,
  });
  assert.ok(moved.klReference > 1e-4);
});

Deno.test("resetOptimizer() resets the moments", async () => {
  async function lastWeights(reset: boolean, before: number) {
    await using policy = await createCpuPolicy({
      config: TOY,
      seed: 7,
      threads: 2,
    });
    const weights = policy.weights();
    const trainer = policy.trainer();
    for (let i = 0; i < before; i++) {
      await trainer.supervised(randomBatch(i, [40, 30]), STEP);
    }
    if (reset) trainer.resetOptimizer();
    policy.setWeights(weights);
    await trainer.supervised(randomBatch(77, [40, 30]), STEP);
    return policy.weights();
  }
  const fresh = await lastWeights(false, 0);
  assert.deepEqual(await lastWeights(true, 2), fresh);
  assert.notDeepEqual(await lastWeights(false, 2), fresh);
});

Deno.test("maxGradNorm bounds the gradient, and gradNorm is the norm before clipping", async () => {
  await using policy = await createCpuPolicy({
    config: TOY,
    seed: 7,
    threads: 2,
  });
  const trainer = policy.trainer({
    beta1: 0,
    beta2: 0,
    epsilon: 1e3,
    weightDecay: 0,
  });
  const batch = randomBatch(1, [50, 60]);
  const { gradient } = await trainer.gradient(batch, "supervised");
  const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
  const before = policy.weights();
  const stats = await trainer.supervised(batch, {
    learningRate: 1,
    maxGradNorm: norm / 4,
  });
  assert.ok(Math.abs(stats.gradNorm - norm) < 1e-3 * norm);
  // With so large an epsilon, the step is proportional to the gradient.
  const moved = Math.hypot(...policy.weights().map((w, i) => w - before[i]!));
  assert.ok(Math.abs(moved * 1e3 - norm / 4) < 0.01 * norm, `${moved}`);
});

Deno.test("a gradient that is not finite fails the step and keeps the weights", async () => {
  await using policy = await createCpuPolicy({
    config: TOY,
    seed: 7,
    threads: 2,
  });
  const trainer = policy.trainer();
  const batch = randomBatch(1, [50]);
  const weights = policy.weights();
  await assert.rejects(
    trainer.reinforce([{ ...batch[0]!, advantage: Infinity }], {
      ...STEP,
      ...LOSS,
      clipHigh: Infinity,
    }),
    (e) => e instanceof TrainerError && /not finite/.test(e.message),
  );
  assert.deepEqual(policy.weights(), weights);
  assert.ok(Number.isFinite((await trainer.supervised(batch, STEP)).gradNorm));
});

Deno.test("a batch without anything to learn is rejected with the reason", async () => {
  await using policy = await createCpuPolicy({
    config: TOY,
    seed: 7,
    threads: 2,
  });
  const trainer = policy.trainer();
  const good = randomBatch(1, [50])[0]!;
  const bad: [TrainSequence[], RegExp][] = [
    [[], /none of its tokens/],
    [
      [{ ...good, lossMask: good.lossMask.length ? new Uint8Array(50) : [] }],
      /none of its tokens/,
    ],
    [[{ ...good, logprobs: [0] }], /must be equal/],
    [[{ ...good, ids: Array.from(good.ids, () => 64) }], /vocabulary/],
    [randomBatch(1, [513]), /context/],
  ];
  for (const [batch, words] of bad) {
    await assert.rejects(
      trainer.supervised(batch, STEP),
      (e) => e instanceof TrainerError && words.test(e.message),
    );
  }
  await assert.rejects(
    trainer.reinforce([good], { ...STEP, ...LOSS, klCoef: 0.1 }),
    /setReference/,
  );
});

Deno.test("a step during sampling is rejected", async () => {
  await using policy = await createCpuPolicy({
    config: TOY,
    seed: 7,
    threads: 2,
  });
  const running = policy.generate({
    ids: [1],
    session: "a",
    maxTokens: 50,
    temperature: 1,
    stopIds: [],
    seed: 1,
  });
  await assert.rejects(
    policy.trainer().supervised(randomBatch(1, [50]), STEP),
    /while it is sampling/,
  );
  await running;
  await policy.trainer().supervised(randomBatch(1, [50]), STEP);
});
