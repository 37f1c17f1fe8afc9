import assert from "node:assert/strict";
import { createMeter } from "../../../env/models/meter.ts";
import { sglangTokenModel } from "../../../env/models/sglang.ts";
import {
  type CallPolicy,
  exceedsContext,
} from "../../../env/models/call_policy.ts";
import type { GenerateRequest } from "../../../env/types.ts";
import { tokenModelContract } from "../../contract/token_model_contract.ts";
import { testCaller } from "../../support/callers.ts";
import { FAULTS, modelServer } from "../../support/model_server.ts";
import { tinyCodec } from "../../support/tiny_codec.ts";
import { babblingModel } from "../../support/token_models.ts";

const REQUEST: GenerateRequest = {
  ids: [1, 2, 3],
  session: "a/b 1",
  maxTokens: 4,
  temperature: 1,
  stopIds: [9],
  seed: 2 ** 31 + 5,
};

function answer(
  changes: Record<string, unknown> = {},
  ids: readonly number[] = [7, 9],
): unknown {
  return {
    text: "x",
    output_ids: ids,
    meta_info: {
      id: "r",
      finish_reason: { type: "stop", matched: 9 },
      prompt_tokens: 3,
      cached_tokens: 2,
      completion_tokens: 2,
      output_token_logprobs: [[-0.5, 7, null], [-0.25, 9, null]],
      ...changes,
    },
  };
}

function modelAt(url: string, policy: Partial<CallPolicy> = {}) {
  return sglangTokenModel({
    url: `${url}/`,
    apiKey: "s3cret-key",
    model: "Qwen/Qwen3-4B",
    contextLength: 100,
    caller: testCaller(policy),
    meter: createMeter(),
  });
}

const { tokenizer } = tinyCodec();

tokenModelContract("sglangTokenModel()", () => {
  const babbling = babblingModel(tokenizer);
  const server = modelServer({
    answer: async ({ path, body: { input_ids: ids, sampling_params } }) => {
      if (path !== "/generate") return {};
      const { ids: given, logprobs, finishReason } = await babbling.generate({
        ids,
        session: "",
        maxTokens: sampling_params.max_new_tokens,
        temperature: sampling_params.temperature,
        stopIds: sampling_params.stop_token_ids,
        seed: sampling_params.sampling_seed,
      });
      return answer({
        finish_reason: { type: finishReason },
        output_token_logprobs: given.map((id, i) => [logprobs[i], id, null]),
      }, given);
    },
    faults: { seed: 4, share: 0.1, kinds: ["429", "500", "drop", "half"] },
  });
  return Promise.resolve({
    model: modelAt(server.url),
    prompts: ["Hello", "Look up #W12"].map((text) => tokenizer.encode(text)),
    vocabSize: tokenizer.vocabSize,
    stopId: tokenizer.stopIds[0] ?? 0,
    tolerance: 0,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  });
});

Deno.test("sglangTokenModel() redacts the key in quotations, even where they are cut", async () => {
  const text = `${"x".repeat(297)}s3cret-key`;
  await using server = modelServer({
    answer: () => new Response(text, { status: 400 }),
  });
  await assert.rejects(
    modelAt(server.url).generate(REQUEST),
    (error: Error) => {
      assert.match(error.message, /answered 400: x+\[ke$/);
      return true;
    },
  );
  const [request] = server.requests;
  assert.equal(request?.headers.get("authorization"), "Bearer s3cret-key");
});

Deno.test("sglangTokenModel() sends ids, and reads ids with their log probabilities", async () => {
  await using server = modelServer({ answer: () => answer() });
  const result = await modelAt(server.url).generate(REQUEST);
  assert.deepEqual(result, {
    ids: [7, 9],
    logprobs: [-0.5, -0.25],
    finishReason: "stop",
    usage: {
      calls: 1,
      retries: 0,
      promptTokens: 3,
      cachedTokens: 2,
      completionTokens: 2,
      cost: null,
    },
  });
  const [request] = server.requests;
  assert.equal(request?.path, "/generate");
  assert.equal(request?.headers.get("x-smg-routing-key"), "a%2Fb%201");
  const { rid, ...body } = request?.body;
  assert.match(rid, /^[\w-]{36}$/);
  assert.deepEqual(body, {
    input_ids: [1, 2, 3],
    return_logprob: true,
    sampling_params: {
      max_new_tokens: 4,
      temperature: 1,
      top_p: 1,
      top_k: -1,
      stop_token_ids: [9],
      sampling_seed: 5,
      skip_special_tokens: false,
      spaces_between_special_tokens: false,
      no_stop_trim: true,
    },
  });
});

Deno.test("sglangTokenModel(): an answer that was cut off says so", async () => {
  await using server = modelServer({
    answer: () => answer({ finish_reason: { type: "length", length: 4 } }),
  });
  const result = await modelAt(server.url).generate(REQUEST);
  assert.equal(result.finishReason, "length");
});

for (const fault of FAULTS) {
  Deno.test(`sglangTokenModel() recovers from "${fault}"`, async () => {
    await using server = modelServer({
      answer: () => answer(),
      faults: ({ path, index }) =>
        path === "/generate" && index === 0 ? fault : undefined,
    });
    const timeoutMs = fault.startsWith("stall") ? 500 : 5000;
    const result = await modelAt(server.url, { timeoutMs }).generate(REQUEST);
    assert.equal(result.usage?.retries, 1);
  });
}

Deno.test("sglangTokenModel(): an invalid answer is a typed failure, never a result", async () => {
  const cases: [changes: unknown, kind: string][] = [
    [answer({ output_token_logprobs: [[null, 7, null]] }), "bad_response"],
    [answer({ output_token_logprobs: [[-1, 8, null]] }), "bad_response"],
    [answer({ output_token_logprobs: undefined }), "bad_response"],
    [answer({ output_token_logprobs: [] }), "bad_response"],
    [answer({ output_token_logprobs: [[0.5, 7], [-1, 9]] }), "bad_response"],
    [
      new Response('{"meta_info": {"output_token_logprobs": [[NaN, 7]]}}'),
      "bad_response",
    ],
    [
      answer({ finish_reason: { type: "abort", message: "shutting down" } }),
      "aborted",
    ],
    [new Response("the prompt is too long", { status: 400 }), "refused"],
    [new Response("gone", { status: 503 }), "server_error"],
  ];
  for (const [given, kind] of cases) {
    await using server = modelServer({
      answer: () => given instanceof Response ? given.clone() : given,
    });
    await assert.rejects(
      modelAt(server.url, { retries: 0 }).generate(REQUEST),
      { name: "InfrastructureError", kind, source: "model" },
    );
  }
});

Deno.test("sglangTokenModel() sends an abort to the server", async () => {
  await using server = modelServer({
    answer: () => ({}),
    faults: ({ path }) => path === "/generate" ? "stall" : undefined,
  });
  const controller = new AbortController();
  const generated = modelAt(server.url).generate({
    ...REQUEST,
    signal: controller.signal,
  });
  while (server.requests.length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  controller.abort(new Error("enough"));
  await assert.rejects(generated, /^Error: enough$/);
  assert.deepEqual(server.requests.map(({ path }) => path), [
    "/generate",
    "/abort_request",
  ]);
  assert.equal(server.requests[1]?.body.rid, server.requests[0]?.body.rid);
});

Deno.test("sglangTokenModel() sends all ids of a conversation that has grown or restarted", async () => {
  await using server = modelServer({ answer: () => answer() });
  const model = modelAt(server.url);
  const ids = [1, 2, 3];
  await model.generate({ ...REQUEST, ids });
  ids.push(4, 5);
  await model.generate({ ...REQUEST, ids });
  await model.generate({ ...REQUEST, ids });
  ids.length = 1;
  await model.generate({ ...REQUEST, ids });
  assert.deepEqual(server.requests.map(({ body }) => body.input_ids), [
    [1, 2, 3],
    [1, 2, 3, 4, 5],
    [1, 2, 3, 4, 5],
    [1],
  ]);
});

Deno.test("sglangTokenModel() reads errors in any format and with any status, and recognizes a full context", async () => {
  const full =
    "The input (5000 tokens) is longer than the model's context length (4096 tokens).";
  const cases: [given: unknown, kind: string, isFull: boolean][] = [
    [
      Response.json({ error: { message: full } }, { status: 400 }),
      "refused",
      true,
    ],
    [
      Response.json({ error: { message: full } }, { status: 500 }),
      "refused",
      true,
    ],
    [
      answer({
        finish_reason: { type: "abort", message: full, status_code: 400 },
        output_token_logprobs: [],
      }),
      "refused",
      true,
    ],
    [{ error: { code: 503, message: "no worker" } }, "server_error", false],
    [{ error: { code: 429, message: "full queue" } }, "rate_limited", false],
    [Response.json({ error: "odd" }, { status: 422 }), "refused", false],
  ];
  for (const [given, kind, isFull] of cases) {
    await using server = modelServer({
      answer: () => given instanceof Response ? given.clone() : given,
    });
    await assert.rejects(
      modelAt(server.url, { retries: 0 }).generate(REQUEST),
      (error: Error & { kind: string }) => {
        assert.equal(error.kind, kind);
        assert.equal(exceedsContext(error), isFull);
        return true;
      },
    );
  }
});
