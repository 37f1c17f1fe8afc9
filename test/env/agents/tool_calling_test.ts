import assert from "node:assert/strict";
import { generated } from "../../../env/generated/generated.ts";
import {
  openingMessages,
  toolCallingAgent,
} from "../../../env/agents/tool_calling.ts";
import { tokenChatModel } from "../../../env/models/token_chat.ts";
import type {
  AgentSession,
  ChatModel,
  ChatOptions,
  Dataset,
  Observation,
  Task,
} from "../../../env/types.ts";
import { agentContract } from "../../contract/agent_contract.ts";
import { callText, tinyCodec } from "../../support/tiny_codec.ts";
import { babblingModel, sayingModel } from "../../support/token_models.ts";

const codec = tinyCodec();
const OPTIONS = { ...codec, temperature: 1, maxTokensPerTurn: 200 };
const dataset: Dataset = await generated(1, {
  trainTasks: 1,
  devTasks: 1,
  testTasks: 1,
});
const task = dataset.tasks("train")[0] as Task;
const LOOK = callText("get_order_details", '{"order_id": "#W1"}');
const FROM_TOOL: Observation = {
  source: "tool",
  content: "Error: order not found",
  done: false,
};
const FROM_USER: Observation = {
  source: "user",
  content: "Thanks",
  done: false,
};

function begin(model: ChatModel, prompt?: "full" | "none"): AgentSession {
  const agent = toolCallingAgent({
    model,
    ...(prompt === undefined ? {} : { prompt }),
  });
  return agent.start({ dataset, task, seed: 3, firstMessage: "Hi" });
}

function saying(...texts: string[]): AgentSession {
  const model = sayingModel(codec.tokenizer, texts);
  return begin(tokenChatModel(model, OPTIONS), "none");
}

const observations = Array.from({ length: 4 }, (_, i) => ({
  toCall: `{"answer": ${i}}`,
  toWords: `Well, ${i}`,
}));

agentContract(
  "toolCallingAgent() with a model that samples random text",
  () =>
    Promise.resolve({
      agent: toolCallingAgent({
        model: tokenChatModel(babblingModel(codec.tokenizer), OPTIONS),
        prompt: "none",
      }),
      dataset,
      task,
      firstMessage: "Hello",
      observations,
    }),
);

agentContract(
  "toolCallingAgent() with calls, messages and mistakes",
  () =>
    Promise.resolve({
      agent: {
        name: "tool-calling",
        // A new model for each session, with its script from the beginning.
        start: (start) =>
          toolCallingAgent({
            model: tokenChatModel(
              sayingModel(codec.tokenizer, [
                LOOK,
                "<tool_call>\n{\n</tool_call>",
                "Found it.",
                `So.\n${LOOK}`,
              ]),
              OPTIONS,
            ),
            prompt: "full",
          }).start(start),
      },
      dataset,
      task,
      firstMessage: "Hello",
      observations,
    }),
);

Deno.test("toolCallingAgent() acts on the first call of an answer and drops the others", async () => {
  const session = saying(LOOK + LOOK, "Done");
  const step = await session.act();
  assert.ok(step.type === "action" && step.action.type === "tool");
  assert.equal(step.action.call.name, "get_order_details");
  session.observe(FROM_TOOL);
  await session.act();
  const [, answer, result] = session.messages;
  assert.equal(
    answer?.role === "assistant" ? answer.toolCalls?.length : 0,
    1,
  );
  assert.deepEqual(result, {
    role: "tool",
    name: "get_order_details",
    toolCallId: step.action.call.id,
    content: FROM_TOOL.content,
  });
});

Deno.test("toolCallingAgent() sends an answer without a call to the user", async () => {
  const session = saying("Hello!");
  assert.deepEqual(await session.act(), {
    type: "action",
    action: { type: "respond", content: "Hello!" },
  });
  session.observe(FROM_USER);
  assert.deepEqual(session.messages.map(({ role }) => role), [
    "user",
    "assistant",
    "user",
  ]);
});

Deno.test("toolCallingAgent() lets the model recover from a call that cannot be parsed", async () => {
  const session = saying(callText("fly"), LOOK);
  const step = await session.act();
  assert.deepEqual(step, {
    type: "parse_error",
    message: 'There is no tool named "fly"',
  });
  assert.deepEqual(session.messages.at(-1), {
    role: "user",
    content: 'Error: There is no tool named "fly"',
  });
  assert.equal((await session.act()).type, "action");
  const text = codec.tokenizer.decode(session.trajectory?.ids ?? []);
  assert.ok(text.includes('<|user|>Error: There is no tool named "fly"'));
});

Deno.test("toolCallingAgent() reports that the model ran out of tokens", async () => {
  const model = sayingModel(codec.tokenizer, ["A very long answer"]);
  const chat = tokenChatModel(model, { ...OPTIONS, maxTokensPerTurn: 2 });
  assert.deepEqual(await begin(chat, "none").act(), { type: "out_of_tokens" });
});

Deno.test("toolCallingAgent() shows policy and tools, or neither if the prompt is none", () => {
  const seen: ChatOptions[] = [];
  const model: ChatModel = {
    name: "none",
    chat: (options) => {
      seen.push(options);
      return { send: () => Promise.reject(), close() {} };
    },
  };
  assert.deepEqual(begin(model).messages, [
    { role: "system", content: dataset.policy },
    { role: "user", content: "Hi" },
  ]);
  assert.deepEqual(begin(model, "none").messages, [
    { role: "user", content: "Hi" },
  ]);
  assert.deepEqual(seen.map(({ toolsInPrompt }) => toolsInPrompt), [
    true,
    false,
  ]);
  for (const { tools } of seen) assert.equal(tools, dataset.tools);
  assert.deepEqual(
    openingMessages({ dataset, firstMessage: "Hi" }, "none"),
    [{ role: "user", content: "Hi" }],
  );
});

Deno.test("toolCallingAgent() sends the model only new messages", async () => {
  const sent: number[] = [];
  const model: ChatModel = {
    name: "counting",
    chat: () => ({
      send(messages) {
        sent.push(messages.length);
        return Promise.resolve({
          content: "x",
          toolCalls: [],
          finishReason: "stop" as const,
        });
      },
      close() {},
    }),
  };
  const session = begin(model);
  for (let turn = 0; turn < 3; turn++) {
    await session.act();
    session.observe(FROM_USER);
  }
  assert.deepEqual(sent, [2, 1, 1]);
});
