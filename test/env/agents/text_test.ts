import assert from "node:assert/strict";
import { expertAgent } from "../../../env/agents/expert.ts";
import { textAgent, textSystemPrompt } from "../../../env/agents/text.ts";
import { textConversation } from "../../../env/agents/text_conversation.ts";
import { generated } from "../../../env/data/generated/generated.ts";
import { loadTauBench } from "../../../env/data/tau_bench.ts";
import { tokenChatModel } from "../../../env/models/token_chat.ts";
import { rollout } from "../../../env/rollout.ts";
import { demonstrationTrajectory } from "../../../env/tokens/demonstration.ts";
import type { Dataset, Message, Task } from "../../../env/types.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import { agentContract } from "../../contract/agent_contract.ts";
import { sayingChatModel } from "../../fakes/chat_models.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../../fakes/tau_bench.ts";
import { tinyCodec } from "../../fakes/tiny_codec.ts";
import { babblingModel, replayingModel } from "../../fakes/token_models.ts";

const dataset: Dataset = await generated(1, {
  trainTasks: 6,
  devTasks: 1,
  testTasks: 1,
});
const [task] = dataset.tasks("train") as readonly [Task];
const codec = tinyCodec();
const CALL =
  'Thought:\nlook.\nAction:\n{"name": "get_order_details", "arguments": {"order_id": "#W1"}}';
const SAY = 'Action:\n{"name": "respond", "arguments": {"content": "Hello"}}';

const observations = Array.from({ length: 4 }, (_, i) => ({
  toCall: `{"answer": ${i}}`,
  toWords: `Well, ${i}`,
}));

for (const strategy of ["act", "react"] as const) {
  const world = { dataset, task, firstMessage: "Hello", observations };
  agentContract(
    `textAgent() as ${strategy} over calls, words and mistakes`,
    () =>
      Promise.resolve({
        ...world,
        agent: {
          name: strategy,
          start: (start) =>
            textAgent({
              model: sayingChatModel(CALL, "no action", SAY, CALL),
              strategy,
            }).start(start),
        },
      }),
  );
  agentContract(
    `textAgent() as ${strategy} over tokens of a model that babbles`,
    () =>
      Promise.resolve({
        ...world,
        agent: textAgent({
          model: tokenChatModel(babblingModel(codec.tokenizer), {
            ...codec,
            temperature: 1,
            maxTokensPerTurn: 50,
          }),
          strategy,
          prompt: "none",
        }),
      }),
  );

  Deno.test(`textConversation(): replayed through the ${strategy} agent, a demonstration gives its own tokens`, async () => {
    for (const one of dataset.tasks("train")) {
      const user = scriptedUser(dataset);
      const spec = {
        dataset,
        task: one,
        user,
        userName: "s",
        seed: 3,
        now: () => 0,
      };
      const shown = await rollout({
        ...spec,
        agent: expertAgent({ prompt: "none" }),
      });
      assert.equal(shown.reward?.value, 1);
      const messages = textConversation(shown.messages, {
        dataset,
        strategy,
        prompt: "none",
      });
      const trajectory = demonstrationTrajectory({ ...codec, messages });
      const model = tokenChatModel(replayingModel(trajectory), {
        ...codec,
        temperature: 1,
        maxTokensPerTurn: 1000,
      });
      const again = await rollout({
        ...spec,
        agent: textAgent({ model, strategy, prompt: "none" }),
      });
      assert.equal(again.failure, null);
      assert.equal(again.reward?.value, 1);
      assert.deepEqual(again.trajectory?.ids, trajectory.ids);
      assert.deepEqual(again.trajectory?.lossMask, trajectory.lossMask);
    }
  });
}

Deno.test("textAgent(): a tool's answer is a message with the prefix, and thoughts never reach the customer", async () => {
  const model = sayingChatModel(CALL, `Thought:\nthe secret\n${SAY}`);
  const agent = textAgent({ model, strategy: "react" });
  const session = agent.start({ dataset, task, seed: 1, firstMessage: "Hi" });
  const step = await session.act();
  assert.ok(step.type === "action" && step.action.type === "tool");
  assert.equal(step.action.call.name, "get_order_details");
  session.observe({ source: "tool", content: "Error: x", done: false });
  assert.deepEqual(session.messages.at(-1), {
    role: "user",
    content: "Tool answer: Error: x",
  });
  assert.deepEqual(await session.act(), {
    type: "action",
    action: { type: "respond", content: "Hello" },
  });
  session.observe({ source: "user", content: "ok", done: false });
  assert.deepEqual(session.messages.at(-1), { role: "user", content: "ok" });
  assert.equal(session.usage?.calls, 2);
});

Deno.test({
  name:
    "textSystemPrompt() is τ-bench's own text, with tools as Python prints them",
  ignore: NO_TAU_BENCH,
  async fn() {
    const retail = await loadTauBench(TAU_BENCH, "retail");
    const prompt = textSystemPrompt(retail, "react");
    assert.ok(
      prompt.startsWith(
        `${retail.policy}\n#Available tools\n[{"type": "function", "function": {"name": "calculate", "description": `,
      ),
    );
    assert.ok(prompt.endsWith(retail.prompts().agent.reactInstruction));
    assert.ok(!textSystemPrompt(retail, "act").includes("Thought:"));
  },
});

Deno.test("textAgent() shows nothing but the customer's words where the prompt is none", () => {
  const agent = textAgent({
    model: sayingChatModel("x"),
    strategy: "act",
    prompt: "none",
  });
  const session = agent.start({ dataset, task, seed: 1, firstMessage: "Hi" });
  const expected: Message[] = [{ role: "user", content: "Hi" }];
  assert.deepEqual(session.messages, expected);
});
