import assert from "node:assert/strict";
import { InfrastructureError, PolicyError } from "../../../env/errors.ts";
import { createRng } from "../../../env/random.ts";
import type { GenerateRequest } from "../../../env/types.ts";
import { type CpuPolicy, createCpuPolicy } from "../../../train/cpu/policy.ts";
import { TOY } from "./_toy.ts";
import { referenceProbabilities } from "./_reference_model.ts";

/** Creates a toy policy whose token distribution is far from uniform. */
async function toyPolicy(
  options: { threads?: number; maxCacheTokens?: number } = {},
): Promise<CpuPolicy> {
  const policy = await createCpuPolicy({
    config: TOY,
    seed: 11,
    threads: 2,
    ...options,
  });
  const rng = createRng(2);
  policy.setWeights(policy.weights().map((w) => w + 0.4 * (rng.next() - 0.5)));
  return policy;
}

function request(
  i: number,
  overrides: Partial<GenerateRequest> = {},
): GenerateRequest {
  const rng = createRng(i, "prompt");
  return {
    ids: Array.from({ length: 3 + rng.int(90) }, () => rng.int(TOY.vocab)),
    session: `s${i}`,
    maxTokens: 5 + rng.int(40),
    temperature: 1,
    stopIds: [7],
    seed: i,
    ...overrides,
  };
}

Deno.test("generate() returns the log probabilities of the full forward pass", async () => {
  await using policy = await toyPolicy();
  for (const i of [1, 2, 3]) {
    const asked = request(i, { stopIds: [], maxTokens: 40 });
    const { ids, logprobs } = await policy.generate(asked);
    const all = [...asked.ids, ...ids];
    const p = referenceProbabilities(TOY, policy.weights(), all);
    ids.forEach((id, k) => {
      const expected = Math.log(p[asked.ids.length + k - 1]![id]!);
      assert.ok(
        Math.abs(logprobs[k]! - expected) < 2e-5 * (1 + Math.abs(expected)),
      );
    });
  }
});

Deno.test("generate() returns the trainer's log probabilities: the ratio is 1 right after sampling", async () => {
  await using policy = await toyPolicy();
  const asked = Array.from({ length: 12 }, (_, i) => request(i));
  const answers = await Promise.all(asked.map((r) => policy.generate(r)));
  const batch = asked.map((r, i) => {
    const { ids, logprobs } = answers[i]!;
    const zeros = r.ids.map(() => 0);
    return {
      ids: [...r.ids, ...ids],
      lossMask: [...zeros, ...ids.map(() => 1)],
      logprobs: [...zeros, ...logprobs],
      advantage: 1,
    };
  });
  const { results } = await policy.trainer().gradient(batch, "supervised");
  assert.equal(results.length, answers.flatMap((a) => a.ids).length);
  for (const r of results) {
    const recorded = batch[r.index]!.logprobs[r.position]!;
    assert.ok(Math.abs(r.logprob - recorded) < 1e-6);
  }
});

Deno.test("generate() gives the same answer alone, among fifty requests, on any number of threads and with a small cache", async () => {
  const asked = Array.from({ length: 50 }, (_, i) => request(i));
  async function answersOf(options: Parameters<typeof toyPolicy>[0]) {
    await using policy = await toyPolicy(options);
    return await Promise.all(asked.map((r) => policy.generate(r)));
  }
  const together = await answersOf({ threads: 2 });
  assert.deepEqual(await answersOf({ threads: 1 }), together);
  assert.deepEqual(await answersOf({ threads: 3 }), together);
  assert.deepEqual(
    await answersOf({ threads: 2, maxCacheTokens: 320 }),
    together,
  );
  await using policy = await toyPolicy();
  for (const i of [0, 17, 49]) {
    const alone = await policy.generate({ ...asked[i]!, session: "alone" });
    assert.deepEqual(alone, together[i]);
    policy.release("alone");
  }
});

Deno.test("generate() continues from a session's cache, or from the common prefix if ids differ", async () => {
  await using cached = await toyPolicy();
  await using fresh = await toyPolicy();
  let ids = request(5).ids;
  for (let turn = 0; turn < 6; turn++) {
    const asked = request(5, { ids, seed: turn, session: "kept" });
    const answer = await cached.generate(asked);
    assert.deepEqual(
      await fresh.generate({ ...asked, session: `turn ${turn}` }),
      answer,
    );
    ids = [...ids, ...answer.ids, 3, 1, 4, 1, 5];
    // The history is sometimes rewritten.
    if (turn % 2 === 1) ids = ids.with(ids.length - 37, 9);
    if (turn === 4) ids = ids.slice(0, 20);
  }
});

Deno.test("generate() gives the same answer to the same ids", async () => {
  await using policy = await toyPolicy();
  const asked = request(8);
  const first = await policy.generate(asked);
  assert.deepEqual(await policy.generate(asked), first);
});

Deno.test("generate() ends at a stop id, which is part of the answer, or at maxTokens", async () => {
  await using policy = await toyPolicy();
  const free = await policy.generate(
    request(4, { stopIds: [], maxTokens: 30 }),
  );
  assert.equal(free.ids.length, 30);
  assert.equal(free.finishReason, "length");
  const stop = free.ids[11]!;
  const end = free.ids.indexOf(stop);
  const stopped = await policy.generate(
    request(4, { stopIds: [63, stop], maxTokens: 30, session: "again" }),
  );
  assert.deepEqual(stopped.ids, free.ids.slice(0, end + 1));
  assert.equal(stopped.finishReason, "stop");
});

Deno.test("generate() at temperature 0 takes the likeliest token whatever the seed", async () => {
  await using policy = await toyPolicy();
  const asked = request(6, { temperature: 0, stopIds: [], maxTokens: 12 });
  const { ids } = await policy.generate(asked);
  assert.deepEqual(
    (await policy.generate({ ...asked, seed: 99, session: "b" })).ids,
    ids,
  );
  const all = [...asked.ids, ...ids];
  const p = referenceProbabilities(TOY, policy.weights(), all);
  ids.forEach((id, k) => {
    const row = p[asked.ids.length + k - 1]!;
    assert.equal(id, row.indexOf(Math.max(...row)));
  });
});

Deno.test("generate() draws tokens with their probability, at temperature 1 and others", async () => {
  await using policy = await toyPolicy();
  const ids = request(9).ids;
  const p = referenceProbabilities(TOY, policy.weights(), ids).at(-1)!;
  for (const temperature of [0.5, 1, 2]) {
    const draws = 4000;
    const answers = await Promise.all(
      Array.from({ length: draws }, (_, i) =>
        policy.generate({
          ids,
          session: `d${i % 200}`,
          maxTokens: 1,
          temperature,
          stopIds: [],
          seed: i,
        })),
    );
    const flat = p.map((x) => x ** (1 / temperature));
    const sum = flat.reduce((a, b) => a + b, 0);
    const counts = new Array<number>(TOY.vocab).fill(0);
    for (const a of answers) {
      const id = a.ids[0]!;
      counts[id]!++;
      const expected = Math.log(flat[id]! / sum);
      assert.ok(Math.abs(a.logprobs[0]! - expected) < 1e-4);
    }
    const chi = counts.reduce((total, n, v) => {
      const mean = draws * flat[v]! / sum;
      return total + (n - mean) ** 2 / Math.max(mean, 0.5);
    }, 0);
    // χ² with 63 degrees of freedom has mean 63 and standard deviation 11.
    assert.ok(chi < 63 + 6 * 11, `temperature ${temperature}: χ² ${chi}`);
  }
});

Deno.test("generate() uses the new weights after an update, not the cache of the old ones", async () => {
  await using policy = await toyPolicy();
  await using other = await toyPolicy();
  const asked = request(3, { stopIds: [] });
  await policy.generate(asked);
  for (const p of [policy, other]) {
    await p.trainer().supervised([{
      ids: asked.ids,
      lossMask: asked.ids.map(() => 1),
      logprobs: asked.ids.map(() => 0),
      advantage: 0,
    }], { learningRate: 0.01, maxGradNorm: 1 });
  }
  assert.deepEqual(await policy.generate(asked), await other.generate(asked));
});

Deno.test("generate() aborts on its signal before and during sampling", async () => {
  await using policy = await toyPolicy();
  const early = policy.generate(request(1, { signal: AbortSignal.abort() }));
  await assert.rejects(
    early,
    (e) => e instanceof InfrastructureError && e.kind === "aborted",
  );
  const stop = new AbortController();
  const long = policy.generate(
    request(2, { maxTokens: 400, stopIds: [], signal: stop.signal }),
  );
  const other = policy.generate(request(3));
  await other;
  stop.abort();
  await assert.rejects(
    long,
    (e) => e instanceof InfrastructureError && e.kind === "aborted",
  );
  // The engine still works.
  assert.ok((await policy.generate(request(4))).ids.length > 0);
});

Deno.test("generate() rejects a prompt that is empty, too long or outside the vocabulary", async () => {
  await using policy = await toyPolicy();
  for (const ids of [[], [64], [-1], [0.5], new Array<number>(512).fill(1)]) {
    await assert.rejects(policy.generate(request(1, { ids })), PolicyError);
  }
});

Deno.test("generate() fills the context and stops there", async () => {
  await using policy = await toyPolicy();
  const ids = Array.from({ length: 500 }, (_, i) => i % 60);
  const answer = await policy.generate(
    request(1, { ids, maxTokens: 100, stopIds: [] }),
  );
  assert.equal(answer.ids.length, 12);
  assert.equal(answer.finishReason, "length");
});

Deno.test("generate() gives a hint if a context does not fit the cache", async () => {
  await using policy = await toyPolicy({ maxCacheTokens: 64 });
  const ids = Array.from({ length: 200 }, (_, i) => i % 60);
  await assert.rejects(
    policy.generate(request(1, { ids })),
    /raise rollout.cacheTokens/,
  );
});

Deno.test("release() frees a session's pages, now or after the current request", async () => {
  await using policy = await toyPolicy();
  const running = policy.generate(request(1, { session: "a" }));
  policy.release("a");
  await running;
  const again = policy.generate(request(1, { session: "a" }));
  await again;
  assert.ok(policy.usage.cachedTokens > 0);
  policy.release("a");
  policy.release("never seen");
  assert.equal(policy.usage.cachedTokens, 0);
});
