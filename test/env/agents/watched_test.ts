import assert from "node:assert/strict";
import { watchedAgent } from "../../../env/agents/watched.ts";
import { expertAgent } from "../../../env/agents/expert.ts";
import { toolCallingAgent } from "../../../env/agents/tool_calling.ts";
import { generated } from "../../../env/generated/generated.ts";
import { rollout } from "../../../env/rollout.ts";
import type { Agent, AgentStep, Turn } from "../../../env/types.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import { sayingChatModel } from "../../support/chat_models.ts";

const dataset = await generated(1, {
  trainTasks: 1,
  devTasks: 1,
  testTasks: 1,
});

function episode(agent: Agent) {
  return rollout({
    dataset,
    task: dataset.tasks("test")[0]!,
    agent,
    user: scriptedUser(dataset),
    userName: "scripted",
    seed: 1,
    now: () => 0,
  });
}

Deno.test("watchedAgent() reports every turn and changes none", async () => {
  const seen: Turn[] = [];
  const watched = watchedAgent(expertAgent(), {
    onTurn: (turn) => seen.push(turn),
  });
  const result = await episode(watched);
  assert.deepEqual(result, await episode(expertAgent()));
  assert.equal(result.reward?.value, 1);
  assert.deepEqual(seen, result.turns);
});

Deno.test("watchedAgent() reports answers that cannot be parsed", async () => {
  const steps: AgentStep[] = [
    { type: "parse_error", message: "no call" },
    { type: "out_of_tokens" },
  ];
  let closed = 0;
  const agent: Agent = {
    name: "mumbler",
    start: () => ({
      messages: [],
      act: () => Promise.resolve(steps.shift()!),
      observe: () => {},
      close: () => closed++,
    }),
  };
  const errors: string[] = [];
  const { stopReason } = await episode(
    watchedAgent(agent, { onParseError: (message) => errors.push(message) }),
  );
  assert.deepEqual(errors, ["no call"]);
  assert.equal(stopReason, "out_of_tokens");
  assert.equal(closed, 1);
});

Deno.test("watchedAgent() passes on the model's usage", async () => {
  const agent = toolCallingAgent({ model: sayingChatModel("Hello") });
  const { usage } = await episode(watchedAgent(agent, {}));
  assert.ok(usage.agent.calls > 0);
  assert.deepEqual(usage.agent, (await episode(agent)).usage.agent);
});
