import assert from "node:assert/strict";
import { expertAgent } from "../../../env/agents/expert.ts";
import { openAgent } from "../../../env/agents/registry.ts";
import { generated } from "../../../env/generated/generated.ts";
import { tokenChatModel } from "../../../env/models/token_chat.ts";
import type {
  Agent,
  ChatModel,
  ChatReply,
  Dataset,
  Task,
} from "../../../env/types.ts";
import { agentContract } from "../../contract/agent_contract.ts";
import { answeringModel, sayingChatModel } from "../../support/chat_models.ts";
import { callText, tinyCodec } from "../../support/tiny_codec.ts";
import { babblingModel, sayingModel } from "../../support/token_models.ts";

const dataset: Dataset = await generated(1, {
  trainTasks: 12,
  devTasks: 1,
  testTasks: 1,
});
const [task] = dataset.tasks("train") as readonly [Task];
const codec = tinyCodec();
const OPTIONS = { ...codec, temperature: 1, maxTokensPerTurn: 200 };
const STRATEGIES = ["tool-calling", "act", "react", "few-shot"] as const;

const TEXTS = [
  'Thought:\nlook.\nAction:\n{"name": "get_order_details", "arguments": {"order_id": "#W1"}}',
  "no action",
  'Action:\n{"name": "respond", "arguments": {"content": "Hello"}}',
  'Action:\n{"name": "fly", "arguments": {}}',
];
const CALLS = [
  callText("get_order_details", '{"order_id": "#W1"}'),
  callText("fly"),
  "Hello",
  `So.\n${callText("get_order_details")}`,
];
const REPLIES: readonly Partial<ChatReply>[] = [
  { toolCalls: [{ id: "a", name: "get_order_details", arguments: new Map() }] },
  { content: "{", parseError: "The arguments are not JSON" },
  { content: "Hello" },
  { content: "So.", toolCalls: [{ id: "b", name: "f", arguments: new Map() }] },
];

function isText(strategy: string): boolean {
  return strategy === "act" || strategy === "react";
}

/**
 * Returns functions that create models, keyed by a description of the model. The models write calls, messages and
 * mistakes in the format of a strategy, except for one that samples random tokens.
 */
function models(
  strategy: string,
): Readonly<Record<string, () => ChatModel>> {
  const { tokenizer } = codec;
  const texts = isText(strategy) ? TEXTS : CALLS;
  return {
    "a chat model": () =>
      isText(strategy) ? sayingChatModel(...TEXTS) : replyingModel(),
    "a token model": () =>
      tokenChatModel(sayingModel(tokenizer, texts), OPTIONS),
    "a token model that babbles": () =>
      tokenChatModel(babblingModel(tokenizer), OPTIONS),
  };
}

function replyingModel(): ChatModel {
  const replies = REPLIES.values();
  return answeringModel(() => replies.next().value ?? "Goodbye");
}

/**
 * Creates an agent whose first two sessions use separate new models, so that each of them starts at the beginning of
 * its model's script.
 */
async function perSession(
  strategy: string,
  model: () => ChatModel,
): Promise<Agent> {
  const agents = await Promise.all(
    [0, 1].map(() => openAgent(strategy, { model: model(), dataset })),
  );
  let next = 0;
  return {
    name: strategy,
    start: (start) => agents[next++ % agents.length]!.start(start),
  };
}

const WORLD = {
  dataset,
  task,
  firstMessage: "Hello",
  observations: Array.from({ length: 4 }, (_, i) => ({
    toCall: `{"answer": ${i}}`,
    toWords: `Well, ${i}`,
  })),
};

for (const strategy of STRATEGIES) {
  const form = isText(strategy) ? "text" : "calls";
  for (const [name, model] of Object.entries(models(strategy))) {
    agentContract(`openAgent() as ${strategy} over ${name}`, async () => ({
      ...WORLD,
      agent: await perSession(strategy, model),
      form,
    }));
  }
}

agentContract(
  "expertAgent()",
  () => Promise.resolve({ ...WORLD, agent: expertAgent() }),
);

Deno.test("openAgent() creates the agent of each strategy", async () => {
  const model = sayingChatModel("Hello");
  for (const strategy of STRATEGIES) {
    const agent = await openAgent(strategy, { model, dataset });
    assert.equal(agent.name, strategy);
    assert.equal(agent.model, model.name);
  }
});

Deno.test("openAgent() rejects the few-shot agent without a prompt", async () => {
  const model = sayingChatModel("Hello");
  await assert.rejects(
    openAgent("few-shot", { model, dataset, prompt: "none" }),
    { name: "ConfigError", hint: /set prompt to "full"/ },
  );
});

Deno.test("openAgent() as act or react lists no tools in the template and treats a tool call as text", async () => {
  for (const strategy of ["act", "react"] as const) {
    const shown: string[] = [];
    const model = sayingModel(codec.tokenizer, CALLS, {
      onRequest: ({ ids }) => shown.push(codec.tokenizer.decode(ids)),
    });
    const agent = await openAgent(strategy, {
      model: tokenChatModel(model, OPTIONS),
      dataset,
      prompt: "none",
    });
    const session = agent.start({ ...WORLD, seed: 1 });
    assert.equal((await session.act()).type, "parse_error");
    assert.deepEqual(shown, ["<|user|>Hello<|assistant|>"]);
    session.close();
  }
});
