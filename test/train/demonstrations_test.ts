import assert from "node:assert/strict";
import { openAgent } from "../../env/agents/registry.ts";
import { generated } from "../../env/generated/generated.ts";
import { tokenChatModel } from "../../env/models/token_chat.ts";
import { deriveSeed } from "../../env/random.ts";
import { rollout } from "../../env/rollout.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import { type Config, resolveConfig } from "../../train/config/config.ts";
import { trainTokenizer } from "../../train/cpu/tiny_tokenizer.ts";
import {
  demonstrationSequences,
  expertConversations,
} from "../../train/demonstrations.ts";
import { codecOf } from "../../train/cpu/policy_agent.ts";
import { replayingModel } from "../support/token_models.ts";

const dataset = await generated(1, {
  trainTasks: 8,
  devTasks: 1,
  testTasks: 1,
});

function configOf(agent: Config["agent"], prompt: Config["prompt"]): Config {
  const text = JSON.stringify({ agent, prompt });
  return resolveConfig({ name: "test", text });
}

for (
  const [agent, prompt] of [
    ["tool-calling", "none"],
    ["tool-calling", "full"],
    ["act", "none"],
    ["act", "full"],
    ["react", "none"],
    ["react", "full"],
    ["few-shot", "full"],
  ] as const
) {
  Deno.test(`expertConversations() are reproduced token by token when replayed as ${agent} with prompt ${prompt}`, async () => {
    const config = configOf(agent, prompt);
    const { solved, asCalls } = await expertConversations(dataset, config);
    assert.equal(solved.length, 8);
    assert.equal(asCalls.length, 8);
    const codec = codecOf(trainTokenizer(solved, { asCalls }));
    const showsTools = prompt === "full" && agent !== "act" &&
      agent !== "react";
    const { sequences } = demonstrationSequences(solved, {
      ...codec,
      tools: showsTools ? dataset.tools : [],
      maxTokens: 1e6,
    });
    for (const [i, task] of dataset.tasks("train").entries()) {
      const { ids, lossMask } = sequences[i]!;
      const shown = {
        ids: Array.from(ids),
        lossMask: Array.from(lossMask, (mask): 0 | 1 => mask === 1 ? 1 : 0),
        logprobs: Array.from(ids, () => 0),
      };
      const model = tokenChatModel(
        replayingModel(shown, { contextLength: 1e6 }),
        {
          ...codec,
          temperature: 1,
          maxTokensPerTurn: 1e6,
        },
      );
      const again = await rollout({
        dataset,
        task,
        agent: await openAgent(agent, { model, dataset, prompt }),
        user: scriptedUser(dataset),
        userName: "scripted",
        seed: deriveSeed(config.seed, "demonstration", task.id),
        now: () => 0,
      });
      assert.equal(again.failure, null);
      assert.equal(again.reward?.value, 1);
      assert.deepEqual(again.trajectory?.ids, shown.ids);
      assert.deepEqual(again.trajectory?.lossMask, shown.lossMask);
    }
  });
}
