import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { expertAgent } from "../../../env/agents/expert.ts";
import { textAgent, textSystemPrompt } from "../../../env/agents/text.ts";
import { textConversation } from "../../../env/agents/text_conversation.ts";
import { generated } from "../../../env/generated/generated.ts";
import { loadTauBench } from "../../../env/benchmarks/tau/tau_bench.ts";
import { tokenChatModel } from "../../../env/models/token_chat.ts";
import { rollout, rolloutAll } from "../../../env/rollout.ts";
import { demonstrationTrajectory } from "../../../env/tokens/demonstration.ts";
import type { Dataset, Message, Task } from "../../../env/types.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import { sayingChatModel } from "../../support/chat_models.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../../support/tau_bench.ts";
import { tinyCodec } from "../../support/tiny_codec.ts";
import { replayingModel } from "../../support/token_models.ts";

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

for (const strategy of ["act", "react"] as const) {
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

Deno.test("textAgent() shows a tool's answer as a message with the prefix, and never shows thoughts to the user", async () => {
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

/** SHA-256 hashes of the prompts that τ-bench's own Python code creates from the benchmark's data. */
const PROMPT_HASHES = [
  [
    "retail",
    "act",
    "18f186175a6486a6abf86eafb3184dd539845f39e2df388047238797d1ea9d94",
  ],
  [
    "retail",
    "react",
    "00a3f58318aba490d0866da7f27cdf428d82c50347e6a9e615e90c1cb8eec805",
  ],
  [
    "airline",
    "act",
    "581c228d7b7d7029d73ecaf10497de32b64ca6f11f4a6e280880c3899a9147b4",
  ],
  [
    "airline",
    "react",
    "d7485e897582986b33c81f6bee5402adaac8b202f997873e53c90ff3ba87a518",
  ],
] as const;

Deno.test({
  name: "textSystemPrompt() equals τ-bench's prompt byte for byte",
  ignore: NO_TAU_BENCH,
  async fn() {
    for (const [domain, strategy, expected] of PROMPT_HASHES) {
      const dataset = await loadTauBench(TAU_BENCH, domain);
      const prompt = textSystemPrompt(dataset, strategy);
      const hash = createHash("sha256").update(prompt).digest("hex");
      assert.equal(hash, expected, `${domain} ${strategy}`);
    }
  },
});

Deno.test({
  name: "textAgent() shows a tool's answer as τ-bench does",
  ignore: NO_TAU_BENCH,
  async fn() {
    const dataset = await loadTauBench(TAU_BENCH, "retail");
    const [task] = dataset.tasks("test") as readonly [Task];
    const agent = textAgent({
      model: sayingChatModel(CALL),
      strategy: "react",
    });
    const session = agent.start({ dataset, task, seed: 1, firstMessage: "Hi" });
    await session.act();
    session.observe({ source: "tool", content: "{}", done: false });
    assert.equal(session.messages.at(-1)?.content, "API output: {}");
  },
});

Deno.test("textConversation() as react states the next action and its reason in one line", async () => {
  const conversations = await rolloutAll(
    dataset.tasks("train").map((task) => ({
      dataset,
      task,
      agent: expertAgent(),
      user: scriptedUser(dataset),
      userName: "scripted",
      seed: 1,
    })),
    { concurrency: 1, now: () => 0 },
  );
  const how = { dataset, strategy: "react", prompt: "full" } as const;
  const thoughts = conversations.flatMap(({ messages }) => {
    const [system, ...told] = textConversation(messages, how);
    assert.equal(system?.content, textSystemPrompt(dataset, "react"));
    return told.filter(({ role }) => role === "assistant").map(
      ({ content }) =>
        /^Thought:\n(.+)\nAction:\n\{.+\}$/.exec(content)?.[1] ?? content,
    );
  });
  const form =
    /^(ask the customer|tell the customer|(.* )?(not known yet|the customer agreed|next): [a-z ]+)\.$/;
  for (const thought of thoughts) assert.match(thought, form);
  assert.ok(thoughts.includes("not known yet: get order details."));
  assert.ok(
    thoughts.some((thought) => thought.startsWith("the customer agreed: ")),
  );
});

Deno.test("textAgent() shows only the user's messages if the prompt is none", () => {
  const agent = textAgent({
    model: sayingChatModel("x"),
    strategy: "act",
    prompt: "none",
  });
  const session = agent.start({ dataset, task, seed: 1, firstMessage: "Hi" });
  const expected: Message[] = [{ role: "user", content: "Hi" }];
  assert.deepEqual(session.messages, expected);
});
