import assert from "node:assert/strict";
import { createMeter } from "../../../env/models/meter.ts";
import type { CallPolicy } from "../../../env/models/call_policy.ts";
import type { Message, ToolSchema } from "../../../env/types.ts";
import { chatModelContract } from "../../contract/chat_model_contract.ts";
import { chatAnswer, FAULTS, modelServer } from "../../support/model_server.ts";
import { modelAt } from "../../support/served_models.ts";

const TOOL: ToolSchema = {
  type: "function",
  function: {
    name: "look",
    description: "Looks",
    parameters: { type: "object", properties: {} },
  },
};
const HELLO: Message = { role: "user", content: "hello" };

function chatOf(server: { url: string }, policy: Partial<CallPolicy> = {}) {
  return modelAt(server, policy).chat({ tools: [TOOL], seed: 5 });
}

chatModelContract("openaiChatModel()", () => {
  const server = modelServer({
    // Depends on seed and turn, like a sampling model.
    answer: ({ body }) =>
      body.messages.length % 4 === 3
        ? chatAnswer(null, { name: "look", arguments: "{}" })
        : chatAnswer(`turn ${body.messages.length}, seed ${body.seed}`),
  });
  return Promise.resolve({
    model: modelAt(server),
    tools: [TOOL],
    turns: [[HELLO], [HELLO], [HELLO]],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  });
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

Deno.test("openaiChatModel() reports malformed calls to the model and never sends them back as calls", async () => {
  const wrong: [answer: unknown, message: RegExp][] = [
    [chatAnswer(null, { name: "look", arguments: "{" }), /not JSON/],
    [chatAnswer("x", { name: "look", arguments: "[1]" }), /must be an object/],
    [chatAnswer(null), /empty/],
    [callsAnswer({ name: null, arguments: "{}" }), /Call 1 has no tool name/],
    [callsAnswer(undefined), /Call 1 has no tool name/],
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

Deno.test("openaiChatModel() separates thoughts in every server's format", async () => {
  const withField = (field: string) => ({
    choices: [{
      message: { content: "Hello", [field]: "hm" },
      finish_reason: "stop",
    }],
  });
  const answers = [
    chatAnswer("<think>hm</think>\n\nHello"),
    chatAnswer("hm</think>Hello"),
    withField("reasoning_content"),
    withField("reasoning"),
  ];
  for (const answer of answers) {
    await using server = modelServer({ answer: () => answer });
    const chat = chatOf(server);
    const reply = await chat.send([HELLO]);
    assert.deepEqual([reply.content, reply.thought], ["Hello", "hm"]);
    await chat.send([HELLO]);
    assert.equal(server.requests[1]?.body.messages[1].content, "Hello");
  }
  await using server = modelServer({ answer: () => chatAnswer("<think>hm") });
  const { parseError } = await chatOf(server).send([HELLO]);
  assert.match(parseError ?? "", /empty/);
});

/** Creates an answer with the given, possibly malformed call. */
function callsAnswer(call: unknown): unknown {
  const message = { content: null, tool_calls: [{ id: "c", function: call }] };
  return { choices: [{ message, finish_reason: "tool_calls" }] };
}

Deno.test("openaiChatModel() reads arguments that are an object or missing", async () => {
  for (const args of [{ at: "x" }, '{"at": "x"}', null, ""]) {
    await using server = modelServer({
      answer: () => callsAnswer({ name: "look", arguments: args }),
    });
    const { toolCalls } = await chatOf(server).send([HELLO]);
    const expected: [string, string][] = args ? [["at", "x"]] : [];
    assert.deepEqual(toolCalls[0]?.arguments, new Map(expected));
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
  Deno.test(`openaiChatModel() recovers from "${fault}" and counts the retry`, async () => {
    await using server = modelServer({
      answer: () => chatAnswer("hi"),
      faults: ({ index }) => index === 0 ? fault : undefined,
    });
    const chat = chatOf(server, {
      timeoutMs: fault.startsWith("stall") ? 500 : 5000,
    });
    const reply = await chat.send([HELLO]);
    assert.equal(reply.content, "hi");
    assert.equal(reply.usage?.retries, 1);
  });

  Deno.test(`openaiChatModel(): a persistent "${fault}" is a typed failure`, async () => {
    await using server = modelServer({
      answer: () => chatAnswer("hi"),
      faults: () => fault,
    });
    const kinds = {
      "429": "rate_limited",
      "429 with Retry-After": "rate_limited",
      "500": "server_error",
      "503": "server_error",
      drop: "connection",
      half: "connection",
      malformed: "bad_response",
      shape: "bad_response",
      stall: "timeout",
      "stall in the body": "timeout",
    };
    const timeoutMs = fault.startsWith("stall") ? 50 : 5000;
    await assert.rejects(
      chatOf(server, { timeoutMs, retries: 1 }).send([HELLO]),
      { name: "InfrastructureError", kind: kinds[fault], source: "model" },
    );
    assert.equal(server.requests.length, 2);
  });
}

Deno.test("openaiChatModel(): an abort rejects the call immediately with its reason", async () => {
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

const TOO_LONG: [status: number, body: unknown][] = [
  [400, { error: { message: "maximum context length is 4096 tokens" } }],
  // SGLang: not nested in `error`.
  [400, {
    object: "error",
    message:
      "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
    type: "BadRequestError",
    code: 400,
  }],
  [400, {
    error: { message: "Too much: 4096", code: "context_length_exceeded" },
  }],
  // Xinference: 500 for requests that vLLM rejects.
  [500, {
    detail:
      "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
  }],
  [400, {
    type: "error",
    error: {
      type: "invalid_request_error",
      message: "prompt is too long: 5000 tokens > 4096 maximum",
    },
  }],
  // OpenRouter: 200, with the provider's rejection in the body.
  [200, {
    choices: null,
    error: {
      code: 400,
      message: "Provider returned error",
      metadata: { raw: "The input exceeds the context size (4096 tokens)" },
    },
  }],
  // Gemini: an array.
  [400, [{
    error: {
      message:
        "The input token count (5000) exceeds the maximum number of tokens allowed (4096).",
    },
  }]],
];

Deno.test("openaiChatModel(): a conversation that is too long runs out of tokens, in any server's wording", async () => {
  for (const [status, body] of TOO_LONG) {
    await using server = modelServer({
      answer: ({ index }) =>
        index === 0 ? chatAnswer("hi") : Response.json(body, { status }),
    });
    const chat = chatOf(server);
    await chat.send([HELLO]);
    assert.equal((await chat.send([HELLO])).finishReason, "length");
    assert.equal(server.requests.length, 2, "it asks once");
  }
});

Deno.test("openaiChatModel(): a full context of the simulated user is a failure of the user", async () => {
  const [[status, body] = [400, {}]] = TOO_LONG;
  await using server = modelServer({
    answer: ({ index }) =>
      index === 0 ? chatAnswer("hi") : Response.json(body, { status }),
  });
  const chat = chatOf(server, { source: "user" });
  await chat.send([HELLO]);
  await assert.rejects(chat.send([HELLO]), { kind: "refused", source: "user" });
});

Deno.test("openaiChatModel(): an opening that does not fit is a failure, since every episode would score 0", async () => {
  for (const [status, body] of TOO_LONG) {
    await using server = modelServer({
      answer: () => Response.json(body, { status }),
    });
    await assert.rejects(chatOf(server).send([HELLO]), {
      kind: "refused",
      message: /4096/,
    });
  }
});

Deno.test("openaiChatModel() waits as long as Gemini's message requests, but not for exhausted credit", async () => {
  const busy = {
    message: "You exceeded your current quota. Please retry in 20.04s.",
  };
  await using gemini = modelServer({
    answer: ({ index }) =>
      index > 0
        ? chatAnswer("hi")
        : Response.json([{ error: busy }], { status: 429 }),
  });
  const waits: number[] = [];
  await chatOf(gemini, {
    sleep: (ms) => Promise.resolve(void waits.push(ms)),
  }).send([HELLO]);
  assert.deepEqual(waits, [20_040]);

  const spent = { message: "No money", code: "insufficient_quota" };
  await using openai = modelServer({
    answer: () => Response.json({ error: spent }, { status: 429 }),
  });
  await assert.rejects(chatOf(openai).send([HELLO]), { kind: "refused" });
  assert.equal(openai.requests.length, 1);
});

Deno.test("openaiChatModel(): an error inside an answer is reported, and retried according to its code", async () => {
  await using server = modelServer({
    answer: ({ index }) =>
      index > 0
        ? chatAnswer("hi")
        : { error: { code: 502, message: "The provider is down" } },
  });
  const reply = await chatOf(server).send([HELLO]);
  assert.equal(reply.usage?.retries, 1);
  await using wrong = modelServer({
    answer: () => ({ error: { code: 402, message: "No credits, s3cret-key" } }),
  });
  await assert.rejects(chatOf(wrong).send([HELLO]), {
    kind: "refused",
    message: /an error: No credits, \[key\]$/,
  });
});

Deno.test("openaiChatModel(): an unknown finish reason is a failure, a missing one is not", async () => {
  const cases: [reason: unknown, wanted: string][] = [
    ["stop", "stop"],
    ["tool_calls", "stop"],
    ["eos", "stop"],
    [null, "stop"],
    [undefined, "stop"],
    ["length", "length"],
    ["model_length", "length"],
    ["abort", "aborted"],
    ["content_filter", "bad_response"],
    ["constructor", "bad_response"],
    ["insufficient_system_resource", "server_error"],
  ];
  for (const [finish_reason, wanted] of cases) {
    const message = { role: "assistant", content: "hi" };
    await using server = modelServer({
      answer: () => ({ choices: [{ message, finish_reason }] }),
    });
    const said: string = await chatOf(server, { retries: 0 }).send([HELLO])
      .then(
        ({ finishReason }) => finishReason,
        ({ kind }) => kind,
      );
    assert.equal(said, wanted, String(finish_reason));
  }
});

Deno.test("openaiChatModel() ignores an optional field of an unexpected type", async () => {
  const odd = [{ index: 0 }, "12", true];
  await using server = modelServer({
    answer: ({ index }) => ({
      choices: [{
        message: {
          content: "hi",
          refusal: odd[index],
          reasoning: [odd[index]],
          reasoning_content: index,
        },
        finish_reason: "stop",
      }],
      usage: index === 0 ? "much" : {
        prompt_tokens: odd[index],
        completion_tokens: 5,
        prompt_tokens_details: { cached_tokens: odd[index] },
      },
    }),
  });
  const chat = chatOf(server, { retries: 0 });
  for (const completionTokens of [0, 5, 5]) {
    const { content, thought, usage } = await chat.send([HELLO]);
    assert.equal(content, "hi");
    assert.equal(thought, undefined);
    assert.equal(usage?.promptTokens, 0);
    assert.equal(usage?.completionTokens, completionTokens);
  }
});

Deno.test("openaiChatModel(): an error next to an answer takes precedence", async () => {
  const half = (error: unknown) => ({
    choices: [{
      message: { role: "assistant", content: "Your refund is" },
      finish_reason: "stop",
      error,
    }],
  });
  const cases: [body: object, kind: string | null, words?: RegExp][] = [
    [half(null), null],
    [{ ...half({}), error: { code: 0, message: "" } }, null],
    [half({ code: 429, message: "slow down" }), "rate_limited", /slow down/],
    [{ ...half(null), error: "upstream" }, "server_error", /upstream/],
    [{ ...half(null), error: { code: 401, message: "no" } }, "refused", /no/],
    [{ choices: [] }, "bad_response", /not a chat completion/],
    [{ choices: null }, "bad_response", /not a chat completion/],
    [{ choices: [], error: { code: 429, message: "m" } }, "rate_limited", /m/],
    [{ error: "upstream" }, "server_error", /an error: upstream/],
  ];
  for (const [body, kind, message] of cases) {
    await using server = modelServer({ answer: () => body });
    const sent = chatOf(server, { retries: 2 }).send([HELLO]);
    if (kind === null) {
      assert.equal((await sent).content, "Your refund is");
      continue;
    }
    await assert.rejects(sent, { kind, message });
    assert.equal(server.requests.length, kind === "refused" ? 1 : 3);
  }
});

Deno.test("openaiChatModel() reads an answer with Python's numbers, or without a content type", async () => {
  const message = '{"role": "assistant", "content": "hi"}';
  const rest = '"finish_reason": "stop", "logprobs": {"mean": NaN}}]';
  const text = `\n\n{"choices": [{"message": ${message}, ${rest}}`;
  for (const body of [text, text.replace("NaN", "1")]) {
    await using server = modelServer({ answer: () => new Response(body) });
    assert.equal((await chatOf(server).send([HELLO])).content, "hi");
  }
  await using cut = modelServer({
    answer: () => new Response(text.slice(0, -2)),
  });
  await assert.rejects(chatOf(cut, { retries: 0 }).send([HELLO]), {
    kind: "bad_response",
  });
});

Deno.test("openaiChatModel() adds the extra fields and removes those that are null", async () => {
  await using server = modelServer({ answer: () => chatAnswer("hi") });
  const extra = { reasoning_effort: "low", seed: null, temperature: 0 };
  await modelAt(server, { extra }).chat({ tools: [], seed: 1 })
    .send([HELLO]);
  assert.deepEqual(server.requests[0]?.body, {
    model: "Qwen/Qwen3-4B",
    messages: [HELLO],
    max_tokens: 64,
    temperature: 0,
    reasoning_effort: "low",
  });
});

Deno.test("openaiChatModel() starts no call when the budget is spent", async () => {
  await using server = modelServer({ answer: () => chatAnswer("hi") });
  const meter = createMeter({ maxTokens: 15 });
  const chat = modelAt(server, { meter }).chat({ tools: [], seed: 1 });
  await chat.send([HELLO]);
  await assert.rejects(chat.send([HELLO]), { name: "BudgetError" });
  assert.equal(server.requests.length, 1);
});
