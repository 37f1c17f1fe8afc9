import assert from "node:assert/strict";
import { createMeter } from "../../../env/models/meter.ts";
import { resolveEndpoint } from "../../../env/models/endpoints.ts";
import { openaiChatModel } from "../../../env/models/openai.ts";
import { sglangTokenModel } from "../../../env/models/sglang.ts";
import { tokenChatModel } from "../../../env/models/token_chat.ts";
import { policyApp } from "../../../env/serve/policy_app.ts";
import type { ServedPolicy } from "../../../env/serve/served_policy.ts";
import type { Message, TokenModel } from "../../../env/types.ts";
import { ModelConfigSchema } from "../../../train/cpu/model_config.ts";
import { createCpuPolicy } from "../../../train/cpu/policy.ts";
import { testCaller } from "../../support/callers.ts";
import { callText, tinyCodec, TOOLS } from "../../support/tiny_codec.ts";
import { sayingModel } from "../../support/token_models.ts";

const codec = tinyCodec();
const HELLO: Message = { role: "user", content: "Hello there" };

interface Served extends AsyncDisposable {
  readonly url: string;
}

function serve(
  model: TokenModel,
  options: Partial<ServedPolicy> & { token?: string } = {},
): Served {
  const { token, ...rest } = options;
  const app = policyApp({
    policy: {
      model,
      codec,
      name: "tiny",
      weightVersion: "7",
      prompt: "full",
      ...rest,
    },
    ...(token === undefined ? {} : { token }),
  });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    app.fetch,
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function post(url: string, body: unknown, headers = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    text,
    // deno-lint-ignore no-explicit-any -- tests look into bodies freely
    json: text.startsWith("{") ? JSON.parse(text) as any : undefined,
  };
}

function saying(...texts: string[]): TokenModel {
  return sayingModel(codec.tokenizer, texts);
}

async function tinyPolicy() {
  const config = ModelConfigSchema.parse({
    vocab: Math.ceil(codec.tokenizer.vocabSize / 32) * 32,
    dim: 32,
    heads: 2,
    layers: 1,
    hidden: 64,
    pointerDim: 16,
    contextLength: 256,
  });
  return await createCpuPolicy({ config, seed: 3, threads: 1 });
}

Deno.test("/generate returns the ids and log probabilities of the policy itself", async () => {
  await using policy = await tinyPolicy();
  await using server = serve(policy);
  const model = sglangTokenModel({
    url: server.url,
    model: "tiny",
    contextLength: 256,
    caller: testCaller({ retries: 0 }),
    meter: createMeter(),
  });
  const requests = Array.from({ length: 16 }, (_, i) => ({
    ids: [...codec.tokenizer.encode(`Please look up order #W${i}`)],
    session: `s${i}`,
    maxTokens: 12,
    temperature: i % 2,
    stopIds: codec.tokenizer.stopIds,
    seed: 100 + i,
  }));
  const direct = await Promise.all(requests.map((one) => policy.generate(one)));
  const served = await Promise.all(requests.map((one) => model.generate(one)));
  for (const [i, { usage, ...result }] of served.entries()) {
    assert.deepEqual(result.ids, direct[i]?.ids);
    assert.deepEqual(result.logprobs, direct[i]?.logprobs);
    assert.equal(result.finishReason, direct[i]?.finishReason);
    assert.equal(usage?.promptTokens, requests[i]?.ids.length);
  }
});

Deno.test("/generate answers as SGLang does", async () => {
  await using server = serve(saying("Well"));
  const { status, json } = await post(`${server.url}/generate`, {
    rid: "r1",
    text: "Hello",
    return_logprob: true,
    sampling_params: {
      max_new_tokens: 20,
      temperature: 0,
      skip_special_tokens: false,
    },
  });
  assert.equal(status, 200);
  const { e2e_latency, output_token_logprobs, ...info } = json.meta_info;
  assert.ok(e2e_latency >= 0);
  const end = codec.tokenizer.stopIds[0];
  assert.deepEqual(info, {
    id: "r1",
    finish_reason: { type: "stop", matched: end },
    prompt_tokens: codec.tokenizer.encode("Hello").length,
    completion_tokens: json.output_ids.length,
    cached_tokens: 0,
    weight_version: "7",
  });
  assert.deepEqual(
    output_token_logprobs.map(([, id]: [number, number]) => id),
    json.output_ids,
  );
  assert.equal(json.text, `Well${codec.tokenizer.endToken}`);
});

Deno.test("/generate rejects invalid requests with a reason", async () => {
  await using server = serve(saying());
  const cases: [body: unknown, message: RegExp][] = [
    ["{", /The body is not JSON/],
    [{}, /must have either "input_ids" or "text"/],
    [{ text: "a", input_ids: [1] }, /must have either "input_ids" or "text"/],
    [{ input_ids: ["x"] }, /input_ids\.0/],
    [{ text: "a", sampling_params: { top_p: 0.5 } }, /sampling_params\.top_p/],
    [{ text: "a", sampling_params: { max_new_tokens: 0 } }, /max_new_tokens/],
    [
      { input_ids: Array(100_000).fill(1) },
      /leaves no room for an answer in the 100000-token context of "tiny"/,
    ],
  ];
  for (const [body, message] of cases) {
    const { status, json } = await post(`${server.url}/generate`, body);
    assert.equal(status, 400);
    assert.match(json.error.message, message);
  }
});

Deno.test("/abort_request ends requests with the finish reason abort", async () => {
  const waiting = Promise.withResolvers<void>();
  const model: TokenModel = {
    name: "slow",
    contextLength: 100,
    generate: ({ signal }) =>
      new Promise((_, reject) => {
        waiting.resolve();
        signal?.addEventListener("abort", () =>
          reject(
            Object.assign(new Error("aborted"), { kind: "aborted" }),
          ));
      }),
  };
  const { InfrastructureError } = await import("../../../env/errors.ts");
  const failing: TokenModel = {
    ...model,
    generate: (request) =>
      model.generate(request).catch(() => {
        throw new InfrastructureError("aborted", {
          kind: "aborted",
          source: "model",
        });
      }),
  };
  await using server = serve(failing);
  const answer = post(`${server.url}/generate`, { rid: "a", text: "Hello" });
  await waiting.promise;
  const loads = await (await fetch(`${server.url}/v1/loads`)).json();
  assert.equal(loads.loads[0].num_running_reqs, 1);
  assert.equal((await post(`${server.url}/abort_request`, {})).status, 400);
  await post(`${server.url}/abort_request`, { abort_all: true });
  const { status, json } = await answer;
  assert.equal(status, 200);
  assert.equal(json.meta_info.finish_reason.type, "abort");
});

Deno.test("/v1/chat/completions answers like the token model's own chat", async () => {
  await using policy = await tinyPolicy();
  await using server = serve(policy);
  const direct = tokenChatModel(policy, {
    ...codec,
    temperature: 0,
    maxTokensPerTurn: 16,
  });
  const served = openaiChatModel({
    endpoint: resolveEndpoint({
      provider: "sglang",
      baseUrl: `${server.url}/v1`,
      env: () => undefined,
    }),
    model: "tiny",
    source: "model",
    temperature: 0,
    maxTokens: 16,
    caller: testCaller({ retries: 0 }),
    meter: createMeter(),
  });
  const options = { tools: TOOLS, seed: 1 };
  const expected = await direct.chat(options).send([HELLO]);
  const reply = await served.chat(options).send([HELLO]);
  assert.equal(reply.content, expected.content);
  assert.equal(reply.finishReason, expected.finishReason);
  assert.ok((reply.usage?.promptTokens ?? 0) > 0);
});

Deno.test("/v1/chat/completions returns calls, accepts their answers, and streams both", async () => {
  const call = callText("look", '{"order_id": "#W1", "n": 1.0}');
  await using server = serve(saying(call, "Found it.", call));
  const body = {
    model: "tiny",
    messages: [HELLO],
    tools: TOOLS,
    max_tokens: 200,
  };
  const url = `${server.url}/v1/chat/completions`;
  const first = (await post(url, body)).json;
  const { message, finish_reason } = first.choices[0];
  assert.equal(finish_reason, "tool_calls");
  assert.deepEqual(message.tool_calls[0].function, {
    name: "look",
    arguments: '{"order_id": "#W1", "n": 1.0}',
  });
  const second = await post(url, {
    ...body,
    messages: [HELLO, message, {
      role: "tool",
      tool_call_id: message.tool_calls[0].id,
      content: [{ type: "text", text: "{}" }],
    }],
  });
  assert.deepEqual(second.json.choices[0].message, {
    role: "assistant",
    content: "Found it.",
  });
  const { text } = await post(url, { ...body, stream: true });
  const events = text.trim().split("\n\n").map((event) => event.slice(6));
  assert.equal(events.at(-1), "[DONE]");
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event));
  assert.equal(chunks[0].choices[0].delta.tool_calls[0].index, 0);
  assert.equal(chunks[1].choices[0].finish_reason, "tool_calls");
});

Deno.test("/v1/chat/completions hides policy text and tools from a policy trained without them", async () => {
  const shown: number[] = [];
  const model = sayingModel(codec.tokenizer, ["a", "b"], {
    onRequest: ({ ids }) => shown.push(ids.length),
  });
  await using server = serve(model, { prompt: "none" });
  const url = `${server.url}/v1/chat/completions`;
  const system = { role: "system", content: "A long policy ".repeat(20) };
  await post(url, { model: "tiny", messages: [HELLO] });
  await post(url, { model: "tiny", messages: [system, HELLO], tools: TOOLS });
  assert.equal(shown[0], shown[1]);
  const info = await (await fetch(`${server.url}/get_model_info`)).json();
  assert.equal(info.prompt, "none");
});

Deno.test("/v1/chat/completions uses OpenAI's error format", async () => {
  await using server = serve(saying());
  const url = `${server.url}/v1/chat/completions`;
  const call = {
    id: "c",
    type: "function",
    function: { name: "look", arguments: "{" },
  };
  const cases: [body: unknown, status: number, message: RegExp][] = [
    [
      { model: "other", messages: [HELLO] },
      404,
      /"other" does not exist; this server has "tiny"/,
    ],
    [{ model: "tiny", messages: [] }, 400, /messages/],
    [{ model: "tiny" }, 400, /messages/],
    [
      { model: "tiny", messages: [{ role: "poet", content: "x" }] },
      400,
      /role/,
    ],
    [
      {
        model: "tiny",
        messages: [HELLO, { role: "assistant", tool_calls: [call] }],
      },
      400,
      /the arguments of the call to "look" are not a JSON object/,
    ],
    [
      {
        model: "tiny",
        messages: [{ role: "user", content: "x ".repeat(200_000) }],
      },
      400,
      /context/,
    ],
  ];
  for (const [body, status, message] of cases) {
    const answer = await post(url, body);
    assert.equal(answer.status, status);
    assert.match(answer.json.error.message, message);
  }
  assert.equal((await post(`${server.url}/nothing`, {})).status, 404);
});

Deno.test("policyApp() requires its token except for health checks", async () => {
  await using server = serve(saying("a"), { token: "s3cret" });
  const body = { model: "tiny", messages: [HELLO] };
  const url = `${server.url}/v1/chat/completions`;
  assert.equal((await post(url, body)).status, 401);
  assert.equal(
    (await post(url, body, { authorization: "Bearer no" })).status,
    401,
  );
  assert.equal(
    (await post(url, body, { authorization: "Bearer s3cret" })).status,
    200,
  );
  assert.equal(
    (await post(`${server.url}/generate`, { text: "a" })).status,
    401,
  );
  const health = await fetch(`${server.url}/health`);
  await health.body?.cancel();
  assert.equal(health.status, 200);
});

Deno.test("policyApp() reports what it serves", async () => {
  await using server = serve(saying("a", "b"));
  const get = async (path: string) => {
    const response = await fetch(`${server.url}${path}`);
    return [response.status, await response.text()] as const;
  };
  assert.match((await get("/v1/models"))[1], /"id":"tiny"/);
  assert.match((await get("/server_info"))[1], /"context_length":100000/);
  assert.equal((await get("/get_weight_version"))[1], '{"weight_version":"7"}');
  assert.equal((await get("/health_generate"))[0], 200);
  assert.equal((await get("/flush_cache"))[0], 200);
});

Deno.test("policyApp() rejects texts that cannot fit before tokenizing them", async () => {
  let encoded = 0;
  const { tokenizer } = codec;
  const counting: ServedPolicy["codec"] = {
    ...codec,
    tokenizer: {
      ...tokenizer,
      vocabSize: tokenizer.vocabSize,
      addedTokens: tokenizer.addedTokens,
      endToken: tokenizer.endToken,
      stopIds: tokenizer.stopIds,
      decode: (ids) => tokenizer.decode(ids),
      encode(text) {
        encoded += text.length;
        return tokenizer.encode(text);
      },
    },
  };
  const model = sayingModel(tokenizer, ["Well"], { contextLength: 256 });
  await using server = serve(model, { codec: counting });
  const text = "a\u0301".repeat(200_000);
  const generated = await post(`${server.url}/generate`, { text });
  assert.equal(generated.status, 400);
  assert.match(generated.text, /400000 characters, too many for the/);
  const messages = [HELLO, { role: "user", content: text }];
  const chat = await post(`${server.url}/v1/chat/completions`, {
    model: "tiny",
    messages,
  });
  assert.equal(chat.status, 400);
  assert.match(
    chat.text,
    /400011 characters, too many for the \d+-token context/,
  );
  assert.equal(encoded, 0);
  // No prompt of 256 tokens takes 2 MiB.
  const large = await post(`${server.url}/generate`, "x".repeat(2 ** 21));
  assert.equal(large.status, 413);
});
