import assert from "node:assert/strict";
import {
  fewShotAgent,
  fewShotExamples,
  fewShotSystem,
} from "../../../env/agents/few_shot.ts";
import { generated } from "../../../env/generated/generated.ts";
import { loadTauBench } from "../../../env/benchmarks/tau/tau_bench.ts";
import type { Dataset, Task } from "../../../env/types.ts";
import { sayingChatModel } from "../../support/chat_models.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../../support/tau_bench.ts";

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

Deno.test("fewShotExamples() returns the expert's conversations on train tasks if the dataset has no examples", async () => {
  const examples = await fewShotExamples(dataset);
  assert.equal(examples.length, 10);
  for (const example of examples) {
    assert.match(example, /^user: .*\nassistant: /);
  }
  assert.deepEqual(await fewShotExamples(dataset), examples);
});

Deno.test({
  name: "fewShotExamples() returns τ-bench's own examples",
  ignore: NO_TAU_BENCH,
  async fn() {
    const airline = await loadTauBench(TAU_BENCH, "airline");
    assert.equal(await fewShotExamples(airline), airline.fewShot);
    assert.ok(airline.fewShot.length >= 5);
  },
});

Deno.test({
  name:
    "fewShotSystem() has τ-bench's format: the policy, then numbered examples",
  ignore: NO_TAU_BENCH,
  async fn() {
    const retail = await loadTauBench(TAU_BENCH, "retail");
    const { content } = fewShotSystem(retail, {
      examples: retail.fewShot,
      seed: 4,
    });
    const drawn = retail.fewShot.filter((one) => content.includes(one));
    drawn.sort((a, b) => content.indexOf(a) - content.indexOf(b));
    const examples = drawn.map((one, i) => `\n\nExample ${i + 1}:\n${one}`);
    assert.equal(drawn.length, 5);
    assert.equal(content, retail.policy + examples.join(""));
  },
});

Deno.test("fewShotAgent() rejects a dataset with too few examples", () => {
  assert.throws(() => fewShotAgent({ model, examples: ["a"] }), {
    name: "ConfigError",
    message: /the dataset has 1, but the agent needs 5/,
  });
});
