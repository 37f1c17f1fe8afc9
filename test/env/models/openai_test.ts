import assert from "node:assert/strict";
import { checkModel } from "../../../env/models/check.ts";
import { resolveEndpoint } from "../../../env/models/endpoints.ts";
import { createMeter } from "../../../env/models/meter.ts";
import { openaiChatModel } from "../../../env/models/openai.ts";
import type { CallPolicy } from "../../../env/models/call_policy.ts";
import type { Message, ToolSchema } from "../../../env/types.ts";
import { chatModelContract } from "../../contract/chat_model_contract.ts";
import { testCaller } from "../../fakes/callers.ts";
import {
  chatAnswer,
  FAULTS,
  type ModelServer,
  modelServer,
} from "../../fakes/model_server.ts";

const TOOL: ToolSchema = {
  type: "function",
  function: {
    name: "look",
    description: "Looks",
    parameters: { type: "object", properties: {} },
  },
};
const HELLO: Message = { role: "user", content: "hello" };

function modelAt(
  server: { url: string },
  policy: Partial<CallPolicy> & { apiKey?: string } = {},
) {
  const { apiKey = "s3cret-key", ...rest } = policy;
  const meter = createMeter();
  const model = openaiChatModel({
    endpoint: resolveEndpoint({
      provider: "openai",
      baseUrl: `${server.url}/v1`,
      env: () => apiKey,
    }),
    model: "Qwen/Qwen3-4B",
    source: "model",
    temperature: 0.5,
    maxTokens: 64,
    caller: testCaller(rest),
    meter,
  });
  return { model, meter };
}

function chatOf(server: { url: string }, policy: Partial<CallPolicy> = {}) {
  return modelAt(server, policy).model.chat({ tools: [TOOL], seed: 5 });
}

chatModelContract("openaiChatModel()", () => {
  // The contract closes nothing, so this server lives as long as the process; its sockets are the test's.
  const model = openaiChatModel({
    endpoint: resolveEndpoint({
      provider: "sglang",
      baseUrl: "http://127.0.0.1:1/v1",
      env: () => undefined,
    }),
    model: "m",
    source: "model",
    temperature: null,
    maxTokens: 8,
    meter: createMeter(),
    caller: {
      call: () =>
        Promise.resolve({
          retries: 0,
          value: {
            reply: { content: "hi", toolCalls: [], finishReason: "stop" },
            promptTokens: 1,
            cachedTokens: 0,
            completionTokens: 1,
          } as never,
        }),
    },
  });
  return Promise.resolve({ model, tools: [TOOL], turns: [[HELLO], [HELLO]] });
});

Deno.test("openaiChatModel() sends the conversation, the tools and the settings", async () => {
  await using server = modelServer({
    answer: ({ index }) =>
      index === 0
        ? chatAnswer(null, { name: "look", arguments: '{"at": 1.0}' })
        : chatAnswer("done"),
  });
  const chat = chatOf(server);
  const first = await chat.send([HELLO]);
  assert.equal(first.toolCalls[0]?.name, "look");
  assert.deepEqual(first.usage, {
    calls: 1,
    retries: 0,
    promptTokens: 10,
    cachedTokens: 0,
    completionTokens: 5,
    cost: null,
  });
  const second = await chat.send([
    { role: "tool", toolCallId: "call_1", name: "look", content: "a lamp" },
  ]);
  assert.equal(second.content, "done");
  const [, request] = server.requests;
  assert.equal(request?.path, "/v1/chat/completions");
  assert.equal(request?.headers.get("authorization"), "Bearer s3cret-key");
  const { seed, ...body } = request?.body;
  assert.ok(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31);
  assert.deepEqual(body, {
    model: "Qwen/Qwen3-4B",
    max_tokens: 64,
    temperature: 0.5,
    tools: [TOOL],
    messages: [
      HELLO,
      {
        role: "assistant",
        content: null,
        tool_calls: [{
          id: "call_1",
          type: "function",
          // Floats stay floats.
          function: { name: "look", arguments: '{"at": 1.0}' },
        }],
      },
      { role: "tool", tool_call_id: "call_1", content: "a lamp" },
    ],
  });
});

Deno.test("openaiChatModel(): what the model writes wrongly is told to it, and never sent back as a call", async () => {
  const wrong: [answer: unknown, message: RegExp][] = [
    [chatAnswer(null, { name: "look", arguments: "{" }), /not JSON/],
    [chatAnswer("x", { name: "look", arguments: "[1]" }), /must be an object/],
    [chatAnswer(null), /empty/],
  ];
  for (const [answer, message] of wrong) {
    await using server = modelServer({ answer: () => answer });
    const chat = chatOf(server);
    const reply = await chat.send([HELLO]);
    assert.match(reply.parseError ?? "", message);
    await chat.send([HELLO]);
    assert.equal(server.requests[1]?.body.messages[1].tool_calls, undefined);
  }
});

Deno.test("openaiChatModel(): of several calls only the first stays in the conversation", async () => {
  const both = structuredClone(
    chatAnswer("so", { name: "look", arguments: "{}" }),
  ) as { choices: { message: { tool_calls: unknown[] } }[] };
  both.choices[0]?.message.tool_calls.push({
    id: "call_2",
    type: "function",
    function: { name: "look", arguments: "{}" },
  });
  await using server = modelServer({ answer: () => both });
  const chat = chatOf(server);
  assert.equal((await chat.send([HELLO])).toolCalls.length, 2);
  await chat.send([HELLO]);
  assert.equal(server.requests[1]?.body.messages[1].tool_calls.length, 1);
});

for (const fault of FAULTS) {
  Deno.test(`openaiChatModel() gets over "${fault}" and counts the retry`, async () => {
    await using server = modelServer({
      answer: () => chatAnswer("hi"),
      faults: ({ index }) => index === 0 ? fault : undefined,
    });
    const chat = chatOf(server, { timeoutMs: fault === "stall" ? 50 : 5000 });
    const reply = await chat.send([HELLO]);
    assert.equal(reply.content, "hi");
    assert.equal(reply.usage?.retries, 1);
  });

  Deno.test(`openaiChatModel(): "${fault}" that stays is a typed failure`, async () => {
    await using server = modelServer({
      answer: () => chatAnswer("hi"),
      faults: () => fault,
    });
    const kinds = {
      "429": "rate_limited",
      "429 with Retry-After": "rate_limited",
      "500": "server_error",
      drop: "connection",
      half: "connection",
      malformed: "bad_response",
      shape: "bad_response",
      stall: "timeout",
    };
    const timeoutMs = fault === "stall" ? 50 : 5000;
    await assert.rejects(
      chatOf(server, { timeoutMs, retries: 1 }).send([HELLO]),
      { name: "InfrastructureError", kind: kinds[fault], source: "model" },
    );
    assert.equal(server.requests.length, 2);
  });
}

Deno.test("openaiChatModel(): an abort ends the call at once, with its reason", async () => {
  await using server = modelServer({
    answer: () => chatAnswer("hi"),
    faults: () => "stall",
  });
  const controller = new AbortController();
  const sent = chatOf(server).send([HELLO], { signal: controller.signal });
  while (server.requests.length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  controller.abort(new Error("enough"));
  await assert.rejects(sent, /^Error: enough$/);
});

Deno.test("openaiChatModel(): a conversation that no longer fits has run out of tokens", async () => {
  await using server = modelServer({
    answer: () =>
      Response.json({
        error: { message: "maximum context length is 4096 tokens" },
      }, { status: 400 }),
  });
  const reply = await chatOf(server).send([HELLO]);
  assert.equal(reply.finishReason, "length");
});

Deno.test("checkModel() tells what is wrong with an endpoint, without the key", async () => {
  const cases: [status: number, message: string, words: RegExp][] = [
    [
      401,
      "Incorrect API key provided: s3cret-key",
      /--model m does not answer: .*\[key\]; check the key/,
    ],
    [404, "The model `x` does not exist", /check the model's name/],
    [400, "Unsupported parameter: 'seed'", /Unsupported parameter: 'seed'/],
    [429, "You exceeded your current quota", /exceeded your current quota/],
  ];
  for (const [status, message, words] of cases) {
    await using server = modelServer({
      answer: () => Response.json({ error: { message } }, { status }),
    });
    const { model } = modelAt(server);
    await assert.rejects(checkModel(model, "--model m"), (error: Error) => {
      assert.equal(error.name, "ConfigError");
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    });
    assert.equal(server.requests.length, 1, "it asks once");
  }
});

Deno.test("checkModel() tells that there is no server, and is content with one that answers", async () => {
  let gone: ModelServer;
  {
    await using server = modelServer({ answer: () => chatAnswer("hi") });
    gone = server;
    await checkModel(modelAt(server).model, "--model m");
  }
  await assert.rejects(
    checkModel(modelAt(gone, { retries: 0 }).model, "--model m"),
    { name: "ConfigError", message: /start the server/ },
  );
});
