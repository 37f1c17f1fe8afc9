import assert from "node:assert/strict";
import { fewShotAgent, fewShotExamples } from "../../../env/agents/few_shot.ts";
import { openAgent } from "../../../env/agents/open.ts";
import { generated } from "../../../env/data/generated/generated.ts";
import { loadTauBench } from "../../../env/data/tau_bench.ts";
import type { Dataset, Task } from "../../../env/types.ts";
import { agentContract } from "../../contract/agent_contract.ts";
import { sayingChatModel } from "../../fakes/chat_models.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../../fakes/tau_bench.ts";

const dataset: Dataset = await generated(1, {
  trainTasks: 12,
  devTasks: 1,
  testTasks: 1,
});
const [task] = dataset.tasks("test") as readonly [Task];
const model = sayingChatModel("Hello");

function systemOf(agent: ReturnType<typeof fewShotAgent>, seed: number) {
  const session = agent.start({ dataset, task, seed, firstMessage: "Hi" });
  return session.messages[0]?.content ?? "";
}

agentContract("fewShotAgent()", () =>
  Promise.resolve({
    agent: fewShotAgent({ model, examples: ["a", "b"], shown: 2 }),
    dataset,
    task,
    firstMessage: "Hi",
    observations: [{ toCall: "{}", toWords: "ok" }],
  }));

Deno.test("fewShotAgent() shows some of its examples, the same for the same seed", () => {
  const examples = Array.from({ length: 20 }, (_, i) => `user: example ${i}!`);
  const agent = fewShotAgent({ model, examples });
  const system = systemOf(agent, 1);
  const shown = examples.filter((example) => system.includes(example));
  assert.equal(shown.length, 5);
  assert.match(system, /Example 1:\nuser: .*\n\nExample 2:\n/);
  assert.equal(systemOf(agent, 1), system);
  assert.notEqual(systemOf(agent, 2), system);
});

Deno.test("fewShotExamples() of a world without any are the expert's conversations on train tasks", async () => {
  const examples = await fewShotExamples(dataset);
  assert.equal(examples.length, 10);
  for (const example of examples) {
    assert.match(example, /^user: .*\nassistant: /);
  }
  assert.deepEqual(await fewShotExamples(dataset), examples);
});

Deno.test({
  name: "fewShotExamples() of τ-bench are its own",
  ignore: NO_TAU_BENCH,
  async fn() {
    const airline = await loadTauBench(TAU_BENCH, "airline");
    assert.equal(await fewShotExamples(airline), airline.fewShot);
    assert.ok(airline.fewShot.length >= 5);
  },
});

Deno.test("openAgent() gives the agent of each strategy, and refuses examples where nothing is shown", async () => {
  for (
    const strategy of ["tool-calling", "act", "react", "few-shot"] as const
  ) {
    assert.equal(
      (await openAgent(strategy, { model, dataset })).name,
      strategy,
    );
  }
  await assert.rejects(
    openAgent("few-shot", { model, dataset, prompt: "none" }),
    { name: "ConfigError", message: /set prompt: full/ },
  );
  assert.throws(() => fewShotAgent({ model, examples: ["a"] }), {
    name: "ConfigError",
    message: /shows 5 examples and there are 1/,
  });
});
