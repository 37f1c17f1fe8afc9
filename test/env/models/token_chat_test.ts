import assert from "node:assert/strict";
import { InfrastructureError, PolicyError } from "../../../env/errors.ts";
import { Float } from "../../../env/python/python_json.ts";
import { CallFailure } from "../../../env/models/call_policy.ts";
import {
  tokenChatModel,
  type TokenChatOptions,
} from "../../../env/models/token_chat.ts";
import type {
  Chat,
  GenerateRequest,
  GenerateResult,
  Message,
  TokenModel,
} from "../../../env/types.ts";
import { chatModelContract } from "../../contract/chat_model_contract.ts";
import { tokenModelContract } from "../../contract/token_model_contract.ts";
import { callTemplate } from "../../support/call_templates.ts";
import { callText, tinyCodec, TOOLS } from "../../support/tiny_codec.ts";
import {
  babblingModel,
  replayingModel,
  sayingModel,
} from "../../support/token_models.ts";

const codec = tinyCodec();
const { tokenizer } = codec;
const OPTIONS: TokenChatOptions = {
  ...codec,
  temperature: 1,
  maxTokensPerTurn: 64,
};
const HELLO: Message = { role: "user", content: "Hello" };

function chatWith(
  model: TokenModel,
  options: Partial<TokenChatOptions> = {},
): Chat {
  return tokenChatModel(model, { ...OPTIONS, ...options })
    .chat({ tools: TOOLS, toolsInPrompt: false, seed: 1 });
}

function saying(...texts: string[]): Chat {
  return chatWith(sayingModel(tokenizer, texts));
}

chatModelContract("tokenChatModel()", () =>
  Promise.resolve({
    model: tokenChatModel(babblingModel(tokenizer), OPTIONS),
    tools: TOOLS,
    turns: [[HELLO], [{ role: "user", content: "And?" }], [HELLO], [HELLO]],
  }));

/**
 * Creates an engine whose context is shorter than configured: after `turns` answers, it rejects every request because
 * the context is full.
 */
function shortEngine(turns: number): TokenModel {
  const inner = sayingModel(tokenizer, ["Hi"]);
  let asked = 0;
  return {
    ...inner,
    generate(request) {
      if (asked++ < turns) return inner.generate(request);
      const cause = new CallFailure("longer than the context length", {
        kind: "refused",
        status: 400,
        isContextFull: true,
      });
      const { message, kind } = cause;
      return Promise.reject(
        new InfrastructureError(message, { kind, source: "model", cause }),
      );
    },
  };
}

Deno.test("tokenChatModel(): a conversation that outgrows the engine's context runs out of tokens, an opening that does is a failure", async () => {
  const chat = chatWith(shortEngine(1));
  await chat.send([HELLO]);
  const reply = await chat.send([HELLO]);
  assert.deepEqual([reply.content, reply.finishReason], ["", "length"]);
  await assert.rejects(chatWith(shortEngine(0)).send([HELLO]), {
    kind: "refused",
  });
});

tokenModelContract("babblingModel()", () =>
  Promise.resolve({
    model: babblingModel(tokenizer, { contextLength: 256 }),
    prompts: ["Hello", "Look up #W12", "x"].map((text) =>
      tokenizer.encode(text)
    ),
    vocabSize: tokenizer.vocabSize,
    stopId: tokenizer.stopIds[0] ?? 0,
    tolerance: 0,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));

Deno.test("tokenChatModel() reads text and calls, with Python's numbers", async () => {
  const chat = saying(
    "Hello!",
    `One moment.\n${callText("pay", '{"amount": 2.0, "to": "é"}')}`,
  );
  assert.deepEqual(await chat.send([HELLO]), {
    content: "Hello!",
    toolCalls: [],
    finishReason: "stop",
  });
  assert.deepEqual(await chat.send([HELLO]), {
    content: "One moment.",
    toolCalls: [{
      id: "call00020",
      name: "pay",
      arguments: new Map<string, Float | string>([
        ["amount", new Float(2)],
        ["to", "é"],
      ]),
    }],
    finishReason: "stop",
  });
});

Deno.test("tokenChatModel() reads calls in the given format, by default its template's", async () => {
  const text =
    "<tool_call>\n<function=pay>\n<parameter=amount>\n2.0\n</parameter>\n</function>\n</tool_call>";
  const callsOf = async (options: Partial<TokenChatOptions>) => {
    const chat = chatWith(sayingModel(tokenizer, [text]), options);
    const { toolCalls } = await chat.send([HELLO]);
    return toolCalls.map(({ name }) => name);
  };
  assert.deepEqual(await callsOf({ toolCalls: "qwen3_coder" }), ["pay"]);
  const template = callTemplate("qwen3_coder");
  assert.deepEqual(await callsOf({ template }), ["pay"]);
  assert.deepEqual(await callsOf({}), []);
});

Deno.test("tokenChatModel() tells the model what is wrong with its call", async () => {
  const cases: [string, RegExp][] = [
    ['<tool_call>\n{"name": }\n</tool_call>', /not valid JSON/],
    ['<tool_call>\n{"name": "look"', /does not end/],
    [callText("fly"), /There is no tool named "fly"/],
    [callText("look", "[1]"), /arguments of a call must be an object/],
    ["<tool_call>\n7\n</tool_call>", /must be an object .* not a number/],
  ];
  for (const [text, reason] of cases) {
    const reply = await saying(text).send([HELLO]);
    assert.match(reply.parseError ?? "", reason);
    assert.equal(reply.content, text);
    assert.deepEqual(reply.toolCalls, []);
  }
});

Deno.test("tokenChatModel() uses the calls before the first invalid one", async () => {
  const reply = await saying(
    callText("look") + callText("look", "5") + callText("pay"),
  ).send([HELLO]);
  assert.deepEqual(reply.toolCalls.map(({ name }) => name), ["look"]);
  assert.equal(reply.parseError, undefined);
});

Deno.test("tokenChatModel() keeps the first call of an answer, or all with allCalls", async () => {
  const two = callText("look", "{}") + callText("look", "{}");
  for (const allCalls of [false, true]) {
    const chat = tokenChatModel(sayingModel(tokenizer, [two, "Bye"]), OPTIONS)
      .chat({ tools: TOOLS, toolsInPrompt: false, allCalls, seed: 1 });
    const { toolCalls } = await chat.send([HELLO]);
    assert.equal(toolCalls.length, 2);
    const answered = allCalls ? toolCalls : toolCalls.slice(0, 1);
    await chat.send(answered.map(({ id, name }, i) => ({
      role: "tool",
      name,
      toolCallId: id,
      content: `answer ${i}`,
    })));
    const text = tokenizer.decode([...chat.trajectory?.ids ?? []]);
    assert.equal(text.includes("answer 0"), true);
    assert.equal(text.includes("answer 1"), allCalls);
  }
});

Deno.test("tokenChatModel() records exactly what was sampled, in a sequence that a replay repeats", async () => {
  const turns: Message[][] = [
    [HELLO],
    [{ role: "user", content: "<|end|> 12345" }],
    [HELLO],
  ];
  const hold = async (chat: Chat) => {
    for (const messages of turns) await chat.send(messages);
    return chat.trajectory;
  };
  const first = await hold(chatWith(babblingModel(tokenizer)));
  assert.ok(first);
  assert.deepEqual(await hold(chatWith(replayingModel(first))), first);
});

Deno.test("tokenChatModel() uses a new seed per turn and one session per chat", async () => {
  const requests: GenerateRequest[] = [];
  const model = sayingModel(tokenizer, ["a", "b", "c"], {
    onRequest: (request) => requests.push(request),
  });
  const chats = tokenChatModel(model, OPTIONS);
  const one = chats.chat({ tools: [], seed: 1 });
  await one.send([HELLO]);
  await one.send([HELLO]);
  await chats.chat({ tools: [], seed: 1 }).send([HELLO]);
  const [a, b, c] = requests;
  assert.equal(a?.session, b?.session);
  assert.notEqual(a?.session, c?.session);
  assert.notEqual(a?.seed, b?.seed);
  assert.equal(a?.seed, c?.seed);
  assert.deepEqual(a?.stopIds, tokenizer.stopIds);
});

Deno.test("tokenChatModel() reports length when a turn's tokens run out, and keeps the sampled tokens", async () => {
  const chat = chatWith(sayingModel(tokenizer, ["Hello my friend"]), {
    maxTokensPerTurn: 3,
  });
  const reply = await chat.send([HELLO]);
  assert.equal(reply.finishReason, "length");
  const mask = chat.trajectory?.lossMask.filter((bit) => bit === 1);
  assert.equal(mask?.length, 3);
});

Deno.test("tokenChatModel() never exceeds the context, and reports length at its end", async () => {
  const contextLength = 40;
  for (let size = 0; size < 40; size++) {
    const chat = chatWith(babblingModel(tokenizer, { contextLength }));
    const long: Message = { role: "user", content: "é".repeat(size / 2) };
    await chat.send([HELLO]);
    const reply = await chat.send([long]);
    const length = chat.trajectory?.ids.length ?? 0;
    assert.ok(length <= contextLength);
    if (size > 36) assert.equal(reply.finishReason, "length");
  }
});

Deno.test("tokenChatModel() rejects a first prompt that leaves no room for an answer", async () => {
  const chat = chatWith(babblingModel(tokenizer, { contextLength: 4 }));
  await assert.rejects(
    chat.send([{ role: "user", content: "A long opening" }]),
    (error) =>
      error instanceof PolicyError &&
      /first prompt has \d+ tokens, .* the 4-token context of "babbling"/
        .test(
          error.message,
        ),
  );
});

Deno.test("tokenChatModel() shows the tools by default", async () => {
  const requests: GenerateRequest[] = [];
  const model = sayingModel(tokenizer, ["a", "b"], {
    onRequest: (request) => requests.push(request),
  });
  const chats = tokenChatModel(model, OPTIONS);
  await chats.chat({ tools: TOOLS, seed: 1 }).send([HELLO]);
  await chats.chat({ tools: TOOLS, seed: 1, toolsInPrompt: false })
    .send([HELLO]);
  const [shown, hidden] = requests.map(({ ids }) => tokenizer.decode(ids));
  assert.ok(shown?.includes('"description": "To look"'));
  assert.equal(hidden, "<|user|>Hello<|assistant|>");
});

Deno.test("tokenChatModel() fails if the engine violates its contract", async () => {
  const stopId = tokenizer.stopIds[0] ?? 0;
  const broken: Partial<GenerateResult>[] = [
    { ids: [], logprobs: [] },
    { ids: [stopId], logprobs: [] },
    { ids: [stopId], logprobs: [NaN] },
    { ids: [stopId], logprobs: [0.5] },
    { ids: [5], logprobs: [-1], finishReason: "stop" },
    { ids: new Array(65).fill(5), logprobs: new Array(65).fill(-1) },
    ...[-1, 0.5, tokenizer.vocabSize, 151_936, 2 ** 31, 2 ** 53].flatMap(
      (id): Partial<GenerateResult>[] => [
        { ids: [id], logprobs: [-1] },
        { ids: [5, id, stopId], logprobs: [-1, -1, -1], finishReason: "stop" },
      ],
    ),
  ];
  for (const result of broken) {
    const chat = chatWith({
      name: "broken",
      contextLength: 1000,
      generate: () =>
        Promise.resolve({
          ids: [],
          logprobs: [],
          finishReason: "length",
          ...result,
        }),
    });
    await assert.rejects(
      chat.send([HELLO]),
      (error) =>
        error instanceof InfrastructureError &&
        error.kind === "bad_response" && error.source === "model",
      JSON.stringify(result),
    );
  }
});

Deno.test("tokenChatModel() releases the session when the chat is closed", () => {
  const released: string[] = [];
  const model = {
    ...babblingModel(tokenizer),
    release: (session: string) => void released.push(session),
  };
  const chat = tokenChatModel(model, OPTIONS).chat({ tools: [], seed: 1 });
  chat.close();
  assert.deepEqual(released, ["babbling/0"]);
});

Deno.test("tokenChatModel() rejects invalid settings", () => {
  const model = babblingModel(tokenizer);
  for (
    const wrong of [
      { temperature: -1 },
      { temperature: NaN },
      { maxTokensPerTurn: 0 },
      { maxTokensPerTurn: 1.5 },
    ]
  ) {
    assert.throws(
      () => tokenChatModel(model, { ...OPTIONS, ...wrong }),
      RangeError,
    );
  }
});

Deno.test("tokenChatModel() excludes thoughts from text and calls", async () => {
  const call = callText("pay", '{"amount": 2.0}');
  const answers = [
    `<think>\nI could ${call}\n</think>\n\nHello!`,
    `<think>so</think>${call}`,
    `<think>${call}`,
  ];
  const model = sayingModel(tokenizer, answers);
  const chat = chatWith(model, { maxTokensPerTurn: 400 });
  assert.deepEqual(await chat.send([HELLO]), {
    content: "Hello!",
    thought: `I could ${call}`,
    toolCalls: [],
    finishReason: "stop",
  });
  const second = await chat.send([HELLO]);
  assert.equal(second.toolCalls[0]?.name, "pay");
  assert.equal(second.thought, "so");
  const third = await chat.send([HELLO]);
  assert.deepEqual(third.toolCalls, []);
  assert.match(third.parseError ?? "", /only a thought/);
  const { lossMask } = chat.trajectory ?? assert.fail();
  assert.ok(
    lossMask.filter((mask) => mask === 1).length > 60,
    "all of it trains",
  );
});
