import assert from "node:assert/strict";
import { generated } from "../../../env/generated/generated.ts";
import { DataError } from "../../../env/errors.ts";
import { createMeter, type Meter } from "../../../env/models/meter.ts";
import type { Dataset, Task } from "../../../env/types.ts";
import { parseSet, resolveConfig } from "../../../train/config/config.ts";
import { openUser } from "../../../train/config/open_user.ts";
import {
  chatAnswer,
  type ModelServer,
  modelServer,
} from "../../support/model_server.ts";

const dataset = await generated(1, {
  trainTasks: 1,
  devTasks: 1,
  testTasks: 1,
});
const [task] = dataset.tasks("test") as readonly [Task];

/** Opens the simulated user of a config, in an environment without API keys. */
function openWith(
  sets: readonly string[],
  { meter = createMeter(), world = dataset }: {
    meter?: Meter;
    world?: Dataset;
  } = {},
) {
  const config = resolveConfig({ name: "test", text: "" }, sets.map(parseSet));
  return openUser(config, {
    dataset: world,
    meter,
    env: () => undefined,
  });
}

function endpoint({ url }: ModelServer): string[] {
  return [
    "user.endpoint.provider=vllm",
    `user.endpoint.baseUrl=${url}/v1`,
    "user.endpoint.model=some/model",
    "user.endpoint.calls.retries=0",
  ];
}

/** Starts a model server whose answers every user strategy can parse. As a judge, it rejects every reply. */
function unconvinced(): ModelServer {
  return modelServer({
    answer: ({ body }) => {
      const last = body.messages.at(-1).content;
      return chatAnswer(
        last.includes("true or") ? "false" : "User Response: hi\nResponse: hi",
      );
    },
  });
}

Deno.test("openUser() calls no model for the scripted user", async () => {
  const user = await openWith([]);
  assert.equal(user.label, "scripted");
  assert.match(await user(task, { seed: 1 }).open(), /\w/);
});

for (
  const [strategy, calls] of [
    ["llm", 1],
    ["react", 1],
    ["verify", 8],
    ["reflection", 7],
  ] as const
) {
  Deno.test(`openUser() opens the ${strategy} user with the recipe's limits, and counts its calls`, async () => {
    await using server = unconvinced();
    const meter = createMeter();
    const user = await openWith([
      `user.strategy=${strategy}`,
      "user.attempts=4",
      ...endpoint(server),
    ], { meter });
    assert.equal(user.label, `${strategy} some/model`);
    assert.equal(server.requests.length, 1); // the check that the model answers
    assert.match(await user(task, { seed: 1 }).open(), /hi/);
    assert.equal(server.requests.length, 1 + calls);
    const [{ source, usage }] = meter.totals as [typeof meter.totals[0]];
    assert.deepEqual([source, usage.calls], ["user", 1 + calls]);
  });
}

Deno.test("openUser() with compat opens τ-bench's user", async () => {
  await using server = modelServer({
    answer: () => chatAnswer("Thought: a\nUser Response: b"),
  });
  const user = await openWith([
    "user.strategy=react",
    "compat=true",
    ...endpoint(server),
  ]);
  assert.equal(
    await user(task, { seed: 1 }).open(),
    "a\nUser Response: b",
  );
});

Deno.test("openUser() reports at once what is wrong with the model", async () => {
  await using server = modelServer({
    answer: () =>
      new Response('{"error": {"message": "no such model"}}', { status: 404 }),
  });
  const llm = "user.strategy=llm";
  await assert.rejects(openWith([llm]), {
    name: "ConfigError",
    message: "No model is set for the simulated user",
    hint: "pass --user-model NAME",
  });
  await assert.rejects(
    openWith([llm, ...endpoint(server)]),
    /^ConfigError: Cannot use --user-model some\/model \(vllm, http:.*\): .*no such model.*check the model's name/,
  );
  const meter = createMeter({ maxCost: 1 });
  await assert.rejects(
    openWith([llm, ...endpoint(server)], { meter }),
    /^ConfigError: Cannot enforce --max-cost: "some\/model" has no price/,
  );
  const prompts = () => {
    throw new DataError("prompts.json is missing");
  };
  await assert.rejects(
    openWith([llm, ...endpoint(server)], {
      world: { ...dataset, prompts },
    }),
    { name: "DataError" },
  );
});

Deno.test("openUser() calls no model once the budget is spent", async () => {
  await using server = unconvinced();
  const before = {
    calls: 1,
    retries: 0,
    promptTokens: 60,
    cachedTokens: 0,
    completionTokens: 40,
    cost: null,
  };
  const meter = createMeter({ maxTokens: 100, before });
  const config = resolveConfig(
    { name: "test", text: "" },
    ["user.strategy=llm", ...endpoint(server)].map(parseSet),
  );
  const { signal } = meter;
  await assert.rejects(
    openUser(config, { dataset, meter, signal }),
    /^BudgetError: .*100 tokens used; pass a larger --max-tokens to continue/,
  );
  assert.equal(server.requests.length, 0);
});
