import assert from "node:assert/strict";
import { createRng } from "../../../env/random.ts";
import { layoutOf } from "../../../train/cpu/layout.ts";
import { type CpuPolicy, createCpuPolicy } from "../../../train/cpu/policy.ts";
import type { LossResult } from "../../../train/cpu/gradient.ts";
import {
  advantageAt,
  type PolicyLoss,
  type TrainSequence,
} from "../../../train/trainer.ts";
import { randomBatch, TOY } from "./_toy.ts";
import { referenceProbabilities } from "./_reference_model.ts";

/** Computes the loss from the kernels' log probabilities, in f64 and according to its definition. */
function lossOf(
  batch: readonly TrainSequence[],
  results: readonly LossResult[],
  loss: PolicyLoss | "supervised",
): number {
  let total = 0;
  for (const r of results) {
    if (loss === "supervised") {
      total -= r.logprob;
      continue;
    }
    const sequence = batch[r.index]!;
    const advantage = advantageAt(sequence, r.position);
    const sharing = loss.ratio === "sequence"
      ? results.filter(({ index }) => index === r.index)
      : [r];
    const logs = sharing
      .map(({ logprob, position }) => logprob - sequence.logprobs[position]!);
    const ratio = Math.exp(logs.reduce((a, b) => a + b) / logs.length);
    const low = 1 - loss.clipLow;
    const bounded = Math.min(Math.max(ratio, low), 1 + loss.clipHigh);
    const d = r.referenceLogprob - r.logprob;
    total -= Math.min(ratio * advantage, bounded * advantage);
    if (loss.klCoef !== 0) total += loss.klCoef * (Math.exp(d) - d - 1);
    total -= loss.entropyCoef * r.entropy;
  }
  return total / results.length;
}

/** Compares the gradient along a random direction in each tensor with a finite difference in that direction. */
async function checkEveryTensor(
  policy: CpuPolicy,
  batch: readonly TrainSequence[],
  loss: PolicyLoss | "supervised",
): Promise<void> {
  const trainer = policy.trainer();
  const weights = policy.weights();
  const { gradient } = await trainer.gradient(batch, loss);
  async function lossAt(direction: Float32Array, step: number) {
    policy.setWeights(weights.map((w, i) => w + step * direction[i]!));
    const { results } = await trainer.gradient(batch, loss);
    return lossOf(batch, results, loss);
  }
  for (const p of layoutOf(policy.config).parameters) {
    const rng = createRng(5, p.name);
    const direction = new Float32Array(weights.length);
    for (let i = p.offset; i < p.offset + p.size; i++) {
      // Partly along the gradient, so that the slope is larger than rounding errors.
      direction[i] = Math.sign(gradient[i]!) * rng.next();
    }
    const norm = Math.hypot(...direction.subarray(p.offset, p.offset + p.size));
    const step = 0.02 / norm;
    const slope =
      (await lossAt(direction, step) - await lossAt(direction, -step)) /
      (2 * step);
    let expected = 0;
    direction.forEach((d, i) => expected += d * gradient[i]!);
    const error = Math.abs(slope - expected) /
      Math.max(1e-3, Math.abs(expected));
    assert.ok(
      error < 2e-2,
      `${p.name}: slope ${slope}, gradient ${expected}, error ${error}`,
    );
  }
  policy.setWeights(weights);
}

const LENGTHS = [70, 33, 9, 120, 2];

Deno.test("gradient() of the cross-entropy matches finite differences for every tensor", async () => {
  await using policy = await createCpuPolicy({
    config: TOY,
    seed: 3,
    threads: 2,
  });
  await checkEveryTensor(policy, randomBatch(1, LENGTHS), "supervised");
});

/**
 * Returns a batch whose recorded log probabilities put the importance ratio of each trained token clearly inside or
 * clearly outside the clip range.
 */
async function recorded(
  policy: CpuPolicy,
  seed: number,
  batch = randomBatch(seed, LENGTHS),
): Promise<TrainSequence[]> {
  const { results } = await policy.trainer().gradient(batch, "supervised");
  const rng = createRng(seed, "ratios");
  const logprobs = batch.map((s) => Array.from(s.logprobs));
  for (const r of results) {
    logprobs[r.index]![r.position] = r.logprob +
      rng.pick([-0.6, -0.1, 0, 0.1, 0.6]);
  }
  return batch.map((s, i) => ({ ...s, logprobs: logprobs[i]! }));
}

Deno.test("gradient() of the policy gradient matches finite differences, clipped and not, with KL and entropy", async () => {
  await using policy = await createCpuPolicy({
    config: TOY,
    seed: 4,
    threads: 2,
  });
  const trainer = policy.trainer();
  trainer.setReference();
  const rng = createRng(6);
  policy.setWeights(
    policy.weights().map((w) => w + 0.05 * (rng.next() - 0.5)),
  );
  const batch = await recorded(policy, 2);
  const clip = { clipLow: 0.2, clipHigh: 0.28 };
  const settings: PolicyLoss[] = [
    { ...clip, klCoef: 0, entropyCoef: 0 },
    { ...clip, klCoef: 0.5, entropyCoef: 0 },
    { ...clip, klCoef: 0, entropyCoef: 0.3 },
    { ...clip, klCoef: 0.2, entropyCoef: -0.1 },
    { clipLow: 9, clipHigh: 9, klCoef: 0, entropyCoef: 0 },
  ];
  for (const loss of settings) await checkEveryTensor(policy, batch, loss);
  const byToken = batch.map((s) => ({
    ...s,
    advantage: Array.from(s.ids, () => rng.pick([-1, -0.2, 0, 0.5, 2])),
  }));
  await checkEveryTensor(policy, byToken, settings[0]!);
  const { results } = await trainer.gradient(batch, settings[0]!);
  const clipped = results.filter((r) => r.clipped).length;
  assert.ok(clipped > 10 && clipped < results.length - 10, `${clipped}`);
});

Deno.test("gradient() has the same bits if an advantage is given per sequence or per token", async () => {
  await using policy = await createCpuPolicy({
    config: TOY,
    seed: 4,
    threads: 2,
  });
  const batch = await recorded(policy, 2);
  const byToken = batch.map((s) => ({
    ...s,
    advantage: Array.from(s.ids, (_, t) => advantageAt(s, t)),
  }));
  const loss = { clipLow: 0.2, clipHigh: 0.28, klCoef: 0, entropyCoef: 0 };
  assert.deepEqual(
    await policy.trainer().gradient(byToken, loss),
    await policy.trainer().gradient(batch, loss),
  );
});

/**
 * Returns a batch whose recorded log probabilities differ from the policy's. `by` gives the approximate difference for
 * each sequence.
 */
async function shifted(
  policy: CpuPolicy,
  by: readonly number[],
): Promise<TrainSequence[]> {
  const batch = randomBatch(2, LENGTHS);
  const { results } = await policy.trainer().gradient(batch, "supervised");
  const rng = createRng(2, "noise");
  const logprobs = batch.map((s) => Array.from(s.logprobs));
  for (const { index, position, logprob } of results) {
    const noise = 0.05 * (rng.next() - 0.5);
    logprobs[index]![position] = logprob - by[index]! + noise;
  }
  return batch.map((s, i) => ({ ...s, logprobs: logprobs[i]! }));
}

Deno.test("gradient() with the sequence's ratio matches finite differences, clipped and not, with KL and entropy", async () => {
  await using policy = await createCpuPolicy({
    config: TOY,
    seed: 4,
    threads: 2,
  });
  const trainer = policy.trainer();
  trainer.setReference();
  const rng = createRng(6);
  policy.setWeights(
    policy.weights().map((w) => w + 0.05 * (rng.next() - 0.5)),
  );
  // Advantages are 1.5, -0.7, 1.5, …; of these, the first and the fourth are clipped.
  const batch = await shifted(policy, [0.6, 0.6, -0.6, -0.6, 0.1]);
  const loss: PolicyLoss = {
    ratio: "sequence",
    clipLow: 0.2,
    clipHigh: 0.28,
    klCoef: 0,
    entropyCoef: 0,
  };
  await checkEveryTensor(policy, batch, loss);
  await checkEveryTensor(policy, batch, {
    ...loss,
    klCoef: 0.2,
    entropyCoef: 0.1,
  });
  const { results } = await trainer.gradient(batch, loss);
  assert.deepEqual(
    [...new Set(results.filter((r) => r.clipped).map((r) => r.index))],
    [0, 3],
  );
  const { loss: found, clipShare } = await trainer.reinforce(batch, {
    ...loss,
    learningRate: 1e-4,
    maxGradNorm: 1,
  });
  assert.ok(Math.abs(found - lossOf(batch, results, loss)) < 1e-6);
  assert.equal(
    clipShare,
    results.filter((r) => r.clipped).length / results.length,
  );
});

Deno.test("gradient() with the sequence's ratio weighs each token's advantage by that ratio", async () => {
  await using policy = await createCpuPolicy({
    config: TOY,
    seed: 4,
    threads: 2,
  });
  const trainer = policy.trainer();
  const clip = { clipLow: 9, clipHigh: 9, klCoef: 0, entropyCoef: 0 };
  const rng = createRng(9);
  const batch = (await shifted(policy, [0.6, 0.6, -0.6, -0.6, 0.1]))
    .map((s) => ({
      ...s,
      advantage: Array.from(s.ids, () => rng.pick([-1, -0.2, 0, 0.5, 2])),
    }));
  const bySequence = await trainer.gradient(batch, {
    ...clip,
    ratio: "sequence",
  });
  // The tokens' ratios give the same gradient if log probabilities are chosen so that each equals the sequence's ratio.
  const logprobs = batch.map((s) => Array.from(s.logprobs));
  for (const [i, found] of Map.groupBy(bySequence.results, (r) => r.index)) {
    const mean = found.reduce((sum, { logprob, position }) =>
      sum + logprob - logprobs[i]![position]!, 0) / found.length;
    for (const { logprob, position } of found) {
      logprobs[i]![position] = logprob - mean;
    }
  }
  const byToken = await trainer.gradient(
    batch.map((s, i) => ({ ...s, logprobs: logprobs[i]! })),
    clip,
  );
  const norm = Math.hypot(...byToken.gradient);
  const error = Math.hypot(
    ...byToken.gradient.map((value, i) => value - bySequence.gradient[i]!),
  );
  assert.ok(error < 1e-5 * norm, `${error} of ${norm}`);
});

Deno.test("gradient() has the same bits with either ratio for one learned token, and on policy", async () => {
  await using policy = await createCpuPolicy({
    config: TOY,
    seed: 4,
    threads: 2,
  });
  const trainer = policy.trainer();
  const loss = { clipLow: 0.2, clipHigh: 0.28, klCoef: 0, entropyCoef: 0 };
  const single = await recorded(
    policy,
    3,
    randomBatch(3, LENGTHS).map((s) => ({
      ...s,
      lossMask: Array.from(s.ids, (_, t) => t === s.ids.length - 1 ? 1 : 0),
    })),
  );
  const batch = await recorded(policy, 3);
  const { results } = await trainer.gradient(batch, "supervised");
  const logprobs = batch.map((s) => Array.from(s.logprobs));
  for (const { index, position, logprob } of results) {
    logprobs[index]![position] = logprob;
  }
  const onPolicy = batch.map((s, i) => ({ ...s, logprobs: logprobs[i]! }));
  for (const sequences of [single, onPolicy]) {
    assert.deepEqual(
      await trainer.gradient(sequences, { ...loss, ratio: "sequence" }),
      await trainer.gradient(sequences, loss),
    );
  }
});

for (const build of ["relaxed", "plain"] as const) {
  Deno.test(`gradient() computes the log probabilities and entropies of the reference model (${build} kernels)`, async () => {
    await using policy = await createCpuPolicy({
      config: TOY,
      seed: 8,
      threads: 2,
      build,
    });
    const rng = createRng(1);
    // Weights of any size, including gains and biases, unlike the initial ones.
    policy.setWeights(
      policy.weights().map((w) => w + 0.3 * (rng.next() - 0.5)),
    );
    const batch = randomBatch(3, [90, 40]);
    const { results } = await policy.trainer().gradient(batch, "supervised");
    const p = batch.map((s) =>
      referenceProbabilities(TOY, policy.weights(), s.ids)
    );
    assert.ok(results.length > 30);
    for (const r of results) {
      const row = p[r.index]![r.position - 1]!;
      const logprob = Math.log(row[batch[r.index]!.ids[r.position]!]!);
      const entropy = -row.reduce((sum, x) => sum + x * Math.log(x), 0);
      assert.ok(Math.abs(r.logprob - logprob) < 2e-5 * (1 + Math.abs(logprob)));
      assert.ok(Math.abs(r.entropy - entropy) < 2e-5 * (1 + entropy));
    }
  });
}
