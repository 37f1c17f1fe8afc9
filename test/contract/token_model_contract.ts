/** Defines the contract tests that every token model must pass, wherever it runs. */

import assert from "node:assert/strict";
import type {
  GenerateRequest,
  GenerateResult,
  TokenModel,
} from "../../env/types.ts";

/** A token model to test, with the facts about it that the tests need. */
export interface TokenModelSubject extends AsyncDisposable {
  readonly model: TokenModel;
  /** A few prompts, each much shorter than the context. */
  readonly prompts: readonly (readonly number[])[];
  /** The size of the vocabulary. All token ids are smaller. */
  readonly vocabSize: number;
  /** The id of a token that ends answers. */
  readonly stopId: number;
  /** The largest accepted difference between two computations of the same log probability. */
  readonly tolerance: number;
}

/**
 * Registers the contract tests for a token model.
 * @param load Creates a new model on each call.
 */
export function tokenModelContract(
  name: string,
  load: () => Promise<TokenModelSubject>,
): void {
  function test(
    fact: string,
    check: (subject: TokenModelSubject) => Promise<void>,
  ): void {
    Deno.test(`${name}: ${fact}`, async () => {
      await using subject = await load();
      await check(subject);
    });
  }

  test("an answer has a log probability per id, within the vocabulary and the token limit", async (subject) => {
    for (const temperature of [0, 1]) {
      for (const maxTokens of [1, 7]) {
        for (const request of requests(subject, { temperature, maxTokens })) {
          const { ids, logprobs } = await subject.model.generate(request);
          assert.ok(ids.length >= 1 && ids.length <= maxTokens);
          assert.equal(logprobs.length, ids.length);
          assert.ok(ids.every((id) => id >= 0 && id < subject.vocabSize));
          assert.ok(logprobs.every((x) => Number.isFinite(x) && x <= 1e-6));
        }
      }
    }
  });

  test("an answer ends with its first stop token, or at the token limit", async (subject) => {
    const stopIds = Array.from(
      { length: Math.ceil(subject.vocabSize / 2) },
      (_, i) => i * 2,
    );
    for (const request of requests(subject, { stopIds, maxTokens: 4 })) {
      const { ids, finishReason } = await subject.model.generate(request);
      const first = ids.findIndex((id) => stopIds.includes(id));
      assert.equal(finishReason, first < 0 ? "length" : "stop");
      assert.equal(ids.length, first < 0 ? 4 : first + 1);
    }
  });

  test("the same request gets the same answer, in any session and after any other request", async (subject) => {
    const [request] = requests(subject, {});
    if (request === undefined) throw new TypeError("No prompt to test with");
    const first = await subject.model.generate(request);
    for (const other of requests(subject, { seed: 99, session: "other" })) {
      await subject.model.generate(other);
    }
    assertSame(await subject.model.generate(request), first, subject);
    const elsewhere = { ...request, session: "elsewhere" };
    assertSame(await subject.model.generate(elsewhere), first, subject);
  });

  test("an answer does not depend on concurrent requests", async (subject) => {
    const all = [1, 2, 3, 4].flatMap((seed) =>
      requests(subject, { seed, session: `together ${seed}`, maxTokens: 8 })
    );
    const together = await Promise.all(
      all.map((request) => subject.model.generate(request)),
    );
    for (const [i, request] of all.entries()) {
      const session = `alone ${i}`;
      const alone = await subject.model.generate({ ...request, session });
      assertSame(alone, together[i], subject);
    }
  });

  test("temperature 0 does not depend on the seed, temperature 1 does", async (subject) => {
    const answers = async (temperature: number) => {
      const seen = new Set<string>();
      for (let seed = 0; seed < 6; seed++) {
        const [request] = requests(subject, {
          temperature,
          seed,
          session: `${temperature} ${seed}`,
        });
        if (request === undefined) continue;
        seen.add((await subject.model.generate(request)).ids.join());
      }
      return seen.size;
    };
    assert.equal(await answers(0), 1);
    assert.ok(await answers(1) > 1);
  });

  test("a continued session answers like a new one", async (subject) => {
    let ids = subject.prompts[0] ?? [];
    for (let turn = 0; turn < 4; turn++) {
      const [shape] = requests(subject, { seed: turn, maxTokens: 5 });
      if (shape === undefined) continue;
      const request = { ...shape, ids };
      const onward = await subject.model.generate(request);
      const session = `anew ${turn}`;
      const anew = await subject.model.generate({ ...request, session });
      assertSame(anew, onward, subject);
      const more = subject.prompts[(turn + 1) % subject.prompts.length] ?? [];
      ids = [...ids, ...onward.ids, ...more];
    }
  });

  test("a session may drop ids, be released twice, and start again", async (subject) => {
    const [request] = requests(subject, {});
    if (request === undefined) throw new TypeError("No prompt to test with");
    const first = await subject.model.generate(request);
    const longer = { ...request, ids: [...request.ids, ...first.ids] };
    await subject.model.generate(longer);
    assertSame(await subject.model.generate(request), first, subject);
    subject.model.release?.(request.session);
    subject.model.release?.(request.session);
    assertSame(await subject.model.generate(request), first, subject);
  });

  test("a request does not modify its ids", async (subject) => {
    for (const request of requests(subject, {})) {
      const ids = request.ids.slice();
      await subject.model.generate({ ...request, ids });
      assert.deepEqual(ids, request.ids);
    }
  });

  test("prompt and answer together fit in the context", async (subject) => {
    const { contextLength } = subject.model;
    const prompt = subject.prompts[0] ?? [];
    const ids = Array.from(
      { length: contextLength - 2 },
      (_, i) => prompt[i % prompt.length] ?? 0,
    );
    const [shape] = requests(subject, { maxTokens: 2, stopIds: [] });
    if (shape === undefined) throw new TypeError("No prompt to test with");
    const answer = await subject.model.generate({ ...shape, ids });
    assert.equal(answer.ids.length, 2);
    assert.equal(answer.finishReason, "length");
  });

  test("an aborted request is rejected, and the model continues to answer", async (subject) => {
    const [request] = requests(subject, { session: "aborted" });
    if (request === undefined) throw new TypeError("No prompt to test with");
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(subject.model.generate({ ...request, signal }));
    const { ids } = await subject.model.generate(request);
    assert.ok(ids.length > 0);
  });
}

function requests(
  { prompts, stopId }: TokenModelSubject,
  options: Partial<GenerateRequest>,
): GenerateRequest[] {
  const { session = "session", ...rest } = options;
  return prompts.map((ids, i) => ({
    ids,
    session: `${session} ${i}`,
    maxTokens: 12,
    temperature: 1,
    stopIds: [stopId],
    seed: 7,
    ...rest,
  }));
}

function assertSame(
  actual: GenerateResult,
  expected: GenerateResult | undefined,
  { tolerance }: TokenModelSubject,
): void {
  assert.deepEqual(actual.ids, expected?.ids);
  assert.equal(actual.finishReason, expected?.finishReason);
  for (const [i, logprob] of actual.logprobs.entries()) {
    const distance = Math.abs(logprob - (expected?.logprobs[i] ?? NaN));
    assert.ok(distance <= tolerance, `logprob ${i} is ${distance} apart`);
  }
}
