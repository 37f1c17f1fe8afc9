import assert from "node:assert/strict";
import { toolCallingAgent } from "../../../env/agents/tool_calling.ts";
import { CallFailure } from "../../../env/models/call_policy.ts";
import { generated } from "../../../env/generated/generated.ts";
import {
  type ApiAnswer,
  Echo,
  opaqueFieldsOf,
} from "../../../env/models/opaque_fields.ts";
import { rollout } from "../../../env/rollout.ts";
import type { ChatModel, Message, ToolSchema } from "../../../env/types.ts";
import {
  chatAnswer,
  type ModelRequest,
  modelServer,
} from "../../support/model_server.ts";
import { answeringModel } from "../../support/chat_models.ts";
import { llmUser } from "../../../env/users/llm.ts";
import { modelAt } from "../../support/served_models.ts";

const TOOL: ToolSchema = {
  type: "function",
  function: { name: "look", description: "Looks", parameters: {} },
};
const HELLO: Message = { role: "user", content: "hello" };
const SEEN: Message = {
  role: "tool",
  toolCallId: "call_1",
  name: "look",
  content: "a lamp",
};

const SIGNED = { google: { thought_signature: "EpwCCpkC+/=" } };
const DETAILS = [
  { type: "reasoning.text", text: "hm", signature: "s/ig", index: 0 },
  { type: "reasoning.encrypted", data: "b64", id: null, format: "x" },
];

/** Creates an answer with a tool call, and with extra fields in the message and in the call. */
function called(ofMessage: object = {}, ofCall: object = {}): unknown {
  const call = {
    id: "call_1",
    type: "function",
    function: { name: "look", arguments: "{}" },
    ...ofCall,
  };
  const message = { role: "assistant", content: null, ...ofMessage };
  return {
    choices: [{
      message: { ...message, tool_calls: [call] },
      finish_reason: "tool_calls",
    }],
  };
}

/**
 * A function that checks an assistant message. It returns an error message, or `null` if the server accepts the
 * message.
 */
type Requirement = (message: Record<string, unknown>) => string | null;

/**
 * Starts a server that responds with status 400 and the requirement's error message if an assistant message does not
 * meet the requirement. Otherwise, it answers a conversation with `first` and then with `done`.
 */
function demandingServer(
  first: unknown,
  requirement: Requirement = () => null,
) {
  return modelServer({
    answer: ({ body }: ModelRequest) => {
      const answers = body.messages.filter(({ role }: { role: string }) =>
        role === "assistant"
      );
      const message = answers.map(requirement).find((words: unknown) => words);
      if (message) {
        return Response.json({ error: { message } }, { status: 400 });
      }
      return answers.length === 0 ? first : chatAnswer("done");
    },
  });
}

const MISSING: Requirement = (message) =>
  message.tool_calls && !("reasoning_content" in message)
    ? "Missing `reasoning_content` field in the assistant message at message index 1."
    : null;
const UNSUPPORTED: Requirement = (message) =>
  "reasoning_content" in message
    ? "'messages.1' : property 'reasoning_content' is unsupported"
    : null;

Deno.test("openaiChatModel() sends opaque fields back unchanged on every later turn", async () => {
  const cases: [ofMessage: object, ofCall: object][] = [
    [{}, { extra_content: SIGNED }],
    [{ reasoning_content: " the\n user … " }, {}],
    [{ reasoning_content: "" }, {}],
    [{ reasoning_details: DETAILS }, {}],
    [{ extra_content: SIGNED, thinking_blocks: [{ signature: "x" }] }, {
      extra_content: SIGNED,
      provider_specific_fields: { thought_signature: "y" },
    }],
  ];
  for (const [ofMessage, ofCall] of cases) {
    await using server = demandingServer(called(ofMessage, ofCall));
    const chat = modelAt(server).chat({ tools: [TOOL], seed: 1 });
    const { content, opaque } = await chat.send([HELLO]);
    assert.equal(content, "");
    assert.deepEqual(opaque?.message ?? {}, ofMessage);
    assert.deepEqual(opaque?.call ?? {}, ofCall);
    await chat.send([SEEN]);
    await chat.send([HELLO]);
    for (const { body } of server.requests.slice(1)) {
      const { tool_calls: [call], ...message } = body.messages[1];
      assert.deepEqual(message, {
        role: "assistant",
        content: null,
        ...ofMessage,
      });
      assert.deepEqual(call, {
        id: "call_1",
        type: "function",
        function: { name: "look", arguments: "{}" },
        ...ofCall,
      });
    }
    assert.equal(server.requests.length, 3);
  }
});

Deno.test("openaiChatModel() also sends back opaque fields of answers without calls", async () => {
  const message = { content: "Hello", extra_content: SIGNED };
  await using server = modelServer({
    answer: () => ({ choices: [{ message, finish_reason: "stop" }] }),
  });
  const chat = modelAt(server).chat({ tools: [TOOL], seed: 1 });
  assert.equal((await chat.send([HELLO])).content, "Hello");
  await chat.send([HELLO]);
  assert.deepEqual(server.requests[1]?.body.messages[1], {
    role: "assistant",
    ...message,
  });
});

Deno.test("openaiChatModel() sends back no field that was missing or null", async () => {
  await using server = demandingServer(
    called({
      reasoning_content: null,
      reasoning_details: null,
      reasoning: "hm",
    }),
  );
  const chat = modelAt(server).chat({ tools: [TOOL], seed: 1 });
  await chat.send([HELLO]);
  await chat.send([SEEN]);
  assert.deepEqual(Object.keys(server.requests[1]?.body.messages[1]), [
    "role",
    "content",
    "tool_calls",
  ]);
});

Deno.test("openaiChatModel() determines from one rejection which fields a server accepts, for all conversations", async () => {
  const cases: [first: unknown, requirement: Requirement, wanted: unknown][] = [
    // DeepSeek requires the field, even without a thought.
    [called({ reasoning_content: "hm" }), MISSING, "hm"],
    [called(), MISSING, ""],
    // Its first reasoner and Groq reject it.
    [called({ reasoning_content: "hm" }), UNSUPPORTED, undefined],
  ];
  for (const [first, requirement, wanted] of cases) {
    await using server = demandingServer(first, requirement);
    const model = modelAt(server);
    await converse(model);
    const learning = server.requests.length;
    assert.equal(learning, wanted === "hm" ? 2 : 3);
    await converse(model);
    assert.equal(server.requests.length - learning, 2);
    const last = server.requests.at(-1)?.body.messages[1];
    assert.equal(last.reasoning_content, wanted);
  }
});

async function converse(model: ChatModel): Promise<void> {
  const chat = model.chat({ tools: [TOOL], seed: 1 });
  await chat.send([HELLO]);
  assert.equal((await chat.send([SEEN])).content, "done");
}

Deno.test("openaiChatModel() stops retrying a server that rejects every combination of fields", async () => {
  const requirement: Requirement = (message) =>
    "reasoning_content" in message
      ? "reasoning_content is unsupported"
      : "reasoning_content is missing";
  await using server = demandingServer(
    called({ reasoning_content: "x" }),
    requirement,
  );
  const chat = modelAt(server).chat({ tools: [TOOL], seed: 1 });
  await chat.send([HELLO]);
  await assert.rejects(chat.send([SEEN]), {
    kind: "refused",
    message: /reasoning_content is/,
  });
  assert.ok(server.requests.length <= 5, `${server.requests.length}`);
});

Deno.test("Echo shares its modes between conversations", () => {
  const echo = new Echo();
  const answer: ApiAnswer = { role: "assistant", content: "x" };
  const opaque = { message: { reasoning_content: "hm" } };
  const refusal = new CallFailure("400 reasoning_content is unsupported", {
    kind: "refused",
    status: 400,
  });
  const { version } = echo;
  assert.ok(echo.learn(refusal, version));
  assert.ok(echo.learn(refusal, version), "sent before the mode changed");
  assert.deepEqual(echo.withFields(answer, opaque), answer);
  assert.ok(!echo.learn(refusal, echo.version));
  const others = [
    new CallFailure("400 reasoning_content", { kind: "server_error" }),
    new CallFailure("400 temperature is unsupported", { kind: "refused" }),
    new CallFailure("400 the context length; reasoning_details", {
      kind: "refused",
      isContextFull: true,
    }),
  ];
  for (const other of others) assert.ok(!echo.learn(other, echo.version));
});

Deno.test("opaqueFieldsOf() drops fields that are too large for a record", () => {
  let deep: unknown = "x";
  for (let i = 0; i < 100_000; i++) deep = [deep];
  for (const value of [deep, "x".repeat(2 ** 20 + 1)]) {
    assert.equal(opaqueFieldsOf({ extra_content: value }), undefined);
  }
  assert.deepEqual(opaqueFieldsOf({ extra_content: 0, other: 1 }), {
    message: { extra_content: 0 },
  });
});

Deno.test("an episode records opaque fields and never shows them to the user", async () => {
  const dataset = await generated(1, {
    trainTasks: 1,
    devTasks: 1,
    testTasks: 1,
  });
  const [task] = dataset.tasks("test");
  const secret = "EpwCCpkC";
  const fields = {
    reasoning_content: `${secret} thought`,
    reasoning_details: [{ data: secret }],
  };
  await using server = modelServer({
    answer: ({ index }) =>
      index === 0
        ? called(fields, { extra_content: secret })
        : { choices: [{ message: { content: "Done?", ...fields } }] },
  });
  const user = answeringModel(() => "Yes");
  const episode = await rollout({
    dataset,
    task: task!,
    agent: toolCallingAgent({ model: modelAt(server) }),
    user: llmUser({ dataset, model: user }),
    seed: 1,
    maxTurns: 3,
  });
  assert.equal(episode.failure, null);
  const kept = episode.messages.filter((message) =>
    message.role === "assistant" && message.opaque !== undefined
  );
  assert.equal(kept.length, 3);
  assert.ok(JSON.stringify(kept).includes(secret));
  assert.ok(user.asked.length > 0);
  assert.ok(!JSON.stringify(user.asked).includes(secret));
  assert.ok(!JSON.stringify(episode.turns).includes(secret));
});
