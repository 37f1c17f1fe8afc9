import assert from "node:assert/strict";
import {
  evaluateSimulation,
  type Simulation,
} from "../../../../env/benchmarks/tau3/evaluators/evaluate_simulation.ts";
import { readVerdicts } from "../../../../env/benchmarks/tau3/evaluators/nl_evaluator.ts";
import {
  Orchestrator,
  type Reply,
} from "../../../../env/benchmarks/tau3/orchestrator.ts";
import { RaisedError } from "../../../../env/benchmarks/tau3/raised.ts";
import type { Tau3Message } from "../../../../env/benchmarks/tau3/tau3_message.ts";
import { rewardInfoObject } from "../../../../env/benchmarks/tau3/tau3_reward.ts";
import { ToolError } from "../../../../env/errors.ts";
import {
  calling,
  jsonOf,
  saying,
  TOY_PROMPTS,
  TOY_TASK,
  toyBundle,
} from "../../../support/tau3_toy.ts";

const RIGHT = [
  saying("hi"),
  calling("sell", { item: "cup" }),
  saying("It costs 1,000."),
  calling("press"),
  saying("###STOP###"),
];

/**
 * Returns the reward of a conversation about the toy shop's task `cup`. After the given replies, every reply is `ok`.
 * `criteria` replaces some of the task's criteria (`null` removes all), and `change` edits the messages before they are
 * evaluated.
 */
async function rewardOf(
  replies: readonly Reply[],
  { criteria = {}, change = (messages) => messages, ...options }:
    & Partial<Omit<Simulation, "messages">>
    & {
      criteria?: Record<string, unknown> | null;
      change?: (messages: Tau3Message[]) => Tau3Message[];
    } = {},
) {
  const evaluation_criteria = criteria === null
    ? null
    : { ...TOY_TASK.evaluation_criteria, ...criteria };
  const source = await toyBundle({
    tasks: [{ ...TOY_TASK, evaluation_criteria }],
  });
  const task = source.task("cup");
  const talk = new Orchestrator({ source, task });
  const all = [...replies];
  while ("speaker" in talk.next) talk.reply(all.shift() ?? saying("ok"));
  return await evaluateSimulation({
    source,
    task,
    messages: change([...talk.messages]),
    terminationReason: "user_stop",
    ...options,
  });
}

Deno.test("evaluateSimulation() multiplies the parts that count, in upstream's shape", async () => {
  const reward = await rewardOf(RIGHT);
  // Databases are not synced between expected actions: the shop does not know that the lamp is lit.
  assert.equal(reward.databaseMatch, false);
  assert.deepEqual(reward.breakdown, [
    ["DB", 0],
    ["ENV_ASSERTION", 1],
    ["ACTION", 1],
    ["COMMUNICATE", 1],
  ]);
  assert.equal(reward.value, 0);
  const counted = await rewardOf(RIGHT, {
    criteria: { reward_basis: ["COMMUNICATE", "ACTION"] },
  });
  assert.equal(counted.value, 1);
  assert.match(
    jsonOf(rewardInfoObject(counted)),
    /^\{"reward": 1\.0, "db_check": \{"db_match": false, "db_reward": 0\.0\}, "env_assertions": \[\{"env_assertion": .*"tool_type": "write"\}\], "nl_assertions": null, "communicate_checks": \[.*"reward_basis": \["COMMUNICATE", "ACTION"\], "reward_breakdown": \{"ACTION": 1\.0, "COMMUNICATE": 1\.0\}, "info": \{"env": null, "nl": null, "communicate": null, "action": null\}\}$/,
  );
});

Deno.test("evaluateSimulation() evaluates no part of a truncated conversation or without criteria", async () => {
  const cut = await rewardOf(RIGHT, { terminationReason: "max_steps" });
  assert.deepEqual([cut.value, cut.basis, cut.info], [0, null, {
    note: "Simulation terminated prematurely. Termination reason: max_steps",
  }]);
  const free = await rewardOf([saying("###STOP###")], { criteria: null });
  assert.deepEqual([free.value, free.basis], [1, null]);
});

Deno.test("a task that needs a judge is not judged without one", async () => {
  const criteria = { reward_basis: ["DB", "NL_ASSERTION"] };
  const unjudged = await rewardOf([saying("###STOP###")], { criteria });
  assert.equal(unjudged.value, null);
  assert.deepEqual(unjudged.breakdown, [["DB", 0], ["NL_ASSERTION", null]]);
  const asked: string[] = [];
  const judged = await rewardOf(RIGHT, {
    criteria: { reward_basis: ["NL_ASSERTION"] },
    judge: {
      prompts: TOY_PROMPTS,
      ask({ user }) {
        asked.push(user);
        return '{"results": [{"expectedOutcome": "x", "reasoning": "r", "metExpectation": "yes"}]}';
      },
    },
  });
  assert.equal(judged.value, 1);
  assert.deepEqual(judged.nlAssertions, [
    { assertion: "x", met: true, justification: "r" },
  ]);
  assert.match(
    asked[0] ?? "",
    /^assistant: Hi!.*\nuser: hi\nassistant: None\ntool: sold\n/,
  );
  const unasked = await rewardOf(RIGHT, {
    criteria: { reward_basis: ["NL_ASSERTION"], nl_assertions: [] },
  });
  assert.equal(unasked.value, 1);
});

Deno.test("readVerdicts() accepts what pydantic accepts and raises the same Python errors", () => {
  assert.deepEqual(readVerdicts('{"results": []}'), []);
  assert.deepEqual(readVerdicts("{}"), []);
  const raised: [string, string][] = [
    ["no", "JSONDecodeError"],
    ["[]", "AttributeError"],
    ['{"results": null}', "TypeError"],
    ['{"results": ["a"]}', "TypeError"],
    ['{"results": [{"expectedOutcome": "a", "reasoning": "b"}]}', "KeyError"],
    [
      '{"results": [{"expectedOutcome": "a", "reasoning": null, "metExpectation": true}]}',
      "ValidationError",
    ],
    [
      '{"results": [{"expectedOutcome": "a", "reasoning": "b", "metExpectation": "maybe"}]}',
      "ValidationError",
    ],
    [
      '{"results": [{"expectedOutcome": "a", "reasoning": "b", "metExpectation": 2}]}',
      "ValidationError",
    ],
  ];
  for (const [reply, pythonClass] of raised) {
    assert.throws(
      () => readVerdicts(reply),
      (error) =>
        error instanceof RaisedError && error.pythonClass === pythonClass,
      reply,
    );
  }
});

Deno.test("evaluateSimulation() raises if a conversation does not replay, unless replay is lenient", async () => {
  const altered = (content: string) => (messages: Tau3Message[]) =>
    messages.map((message): Tau3Message =>
      message.role === "tool" && message.content === "sold"
        ? { ...message, content }
        : message
    );
  await assert.rejects(rewardOf(RIGHT, { change: altered("no") }), RaisedError);
  const lenient = await rewardOf(RIGHT, {
    change: altered("no"),
    strict: false,
  });
  assert.equal(lenient.assertions?.[0]?.met, true);
  const orders: ((messages: Tau3Message[]) => Tau3Message[])[] = [
    (messages) => messages.filter(({ role }) => role !== "tool"),
    (messages) => messages.filter(({ role }) => role !== "assistant"),
    (messages) =>
      messages.map((message) =>
        message.role === "tool" ? { ...message, id: "other" } : message
      ),
  ];
  for (const change of orders) {
    await assert.rejects(
      rewardOf(RIGHT, { change, strict: false }),
      RaisedError,
    );
  }
  const read = [saying("hi"), calling("look"), saying("###STOP###")];
  const unread = await rewardOf(read, {
    change: (messages) =>
      messages.map((message) =>
        message.role === "tool" ? { ...message, content: "other" } : message
      ),
  });
  assert.equal(unread.databaseMatch, false);
});

Deno.test("evaluateSimulation() matches expected actions by their compared arguments", async () => {
  const matches = async (action: Record<string, unknown>) => {
    const { actions } = await rewardOf(RIGHT, {
      type: "action",
      criteria: { actions: [{ action_id: "a", ...action }] },
    });
    return [actions?.[0]?.match, actions?.[0]?.toolKind];
  };
  const more = { item: "cup", more: 1 };
  assert.deepEqual(await matches({ name: "sell", arguments: more }), [
    true,
    "write",
  ]);
  assert.deepEqual(
    await matches({ name: "sell", arguments: more, compare_args: ["more"] }),
    [false, "write"],
  );
  assert.deepEqual(
    await matches({ name: "sell", arguments: {}, compare_args: [] }),
    [true, "write"],
  );
  assert.deepEqual(
    await matches({
      name: "press",
      requestor: "assistant",
      arguments: { x: 1 },
    }),
    [true, "write"],
  );
  assert.deepEqual(await matches({ name: "none", arguments: {} }), [
    false,
    null,
  ]);
});

Deno.test("evaluateSimulation() ignores commas in messages but not in required information", async () => {
  const { communicate, basis } = await rewardOf(RIGHT, {
    type: "communicate",
    criteria: { communicate_info: ["COSTS 1000", "1,000"] },
  });
  assert.deepEqual(communicate?.map(({ met }) => met), [true, false]);
  assert.equal(
    communicate?.[0]?.justification,
    "Information 'COSTS 1000' communicated in the message:\n 'It costs 1,000.'",
  );
  assert.deepEqual(basis, ["DB"]);
});

Deno.test("evaluateSimulation() raises if an assertion throws or returns no boolean", async () => {
  const wrong = (func_name: string) =>
    rewardOf(RIGHT, {
      criteria: {
        env_assertions: [{ env_type: "user", func_name, arguments: {} }],
      },
    });
  await assert.rejects(wrong("break_lamp"), ToolError);
  await assert.rejects(wrong("light"), RaisedError);
  await assert.rejects(
    wrong("no_such"),
    (error) =>
      error instanceof RaisedError && error.pythonClass === "AttributeError",
  );
});

Deno.test("evaluateSimulation() does not check the world without actions and assertions", async () => {
  const reward = await rewardOf(RIGHT, {
    criteria: { actions: null, env_assertions: null },
    type: "env",
  });
  assert.deepEqual(
    [
      reward.value,
      reward.databaseMatch,
      reward.assertions,
      reward.breakdown,
      reward.basis,
    ],
    [1, true, null, null, ["DB"]],
  );
});
