import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { openResults } from "../../../../../env/benchmarks/results/open_results.ts";
import { DataError } from "../../../../../env/errors.ts";
import { turnsOf } from "../../../../../train/runs/run_episodes.ts";
import { TOY_TASK, writeToyBundle } from "../../../../support/tau3_toy.ts";
import { inTempDir } from "../../../../support/temp_dir.ts";

const call = (
  id: string,
  name: string,
  args = {},
  requestor = "assistant",
) => ({
  id,
  name,
  arguments: args,
  requestor,
});
const said = (
  role: string,
  content: string | null,
  tool_calls: unknown = null,
) => (
  { role, content, tool_calls, turn_idx: 0, timestamp: "now", cost: null }
);
const told = (id: string, content: string, requestor = "assistant") => ({
  id,
  role: "tool",
  content,
  requestor,
  error: content.startsWith("Error"),
});

const MESSAGES = [
  said("assistant", "Hi! How can I help you today?"),
  said("user", "", [call("u0", "press", {}, "user")]),
  told("u0", "It is lit.", "user"),
  said("user", "A cup, please."),
  said("assistant", "I sell.", [
    call("a", "sell", { item: "nothing" }),
    call("b", "sell", { item: "cup" }),
  ]),
  told("a", "Error: none"),
  told("b", "Sold."),
  said("assistant", "It costs 1000. Light your lamp."),
  said("user", null, [call("u1", "press", {}, "user")]),
  told("u1", "It is lit.", "user"),
  said("user", "Done. ###STOP###"),
];

const REWARD = {
  reward: 0.0,
  db_check: { db_match: false, db_reward: 0.0 },
  env_assertions: null,
  action_checks: [{
    action: {
      action_id: "s",
      requestor: "assistant",
      name: "sell",
      arguments: { item: "cup" },
      info: null,
      compare_args: null,
    },
    action_match: true,
    action_reward: 1.0,
    tool_type: "write",
  }],
  nl_assertions: null,
  communicate_checks: [{ info: "1000", met: true, justification: "said" }],
  reward_basis: ["DB", "COMMUNICATE"],
  reward_breakdown: { DB: 0.0, COMMUNICATE: 1.0 },
  info: { env: null },
};

const simulation = (more: object = {}) => ({
  id: "s",
  task_id: TOY_TASK.id,
  timestamp: "now",
  start_time: "now",
  end_time: "now",
  duration: 1.5,
  termination_reason: "user_stop",
  agent_cost: 0.5,
  user_cost: null,
  reward_info: REWARD,
  messages: MESSAGES,
  trial: 1,
  seed: 300,
  ...more,
});

function fileText(...simulations: readonly unknown[]): string {
  return JSON.stringify(
    {
      timestamp: "now",
      info: {
        git_commit: "x",
        agent_info: { implementation: "llm_agent" },
        environment_info: { domain_name: "toy", policy: '"simulations"' },
      },
      tasks: [TOY_TASK],
      simulations,
    },
    null,
    2,
  );
}

const open = (text: string) =>
  openResults(new TextEncoder().encode(text), "r.json");

Deno.test("openResults() reads a τ³-bench simulation as turns with the user's calls", () => {
  for (const text of [fileText(simulation()), JSON.stringify(simulation())]) {
    const { benchmark, records, fault } = openResults(
      gzipSync(text),
      "r.json.gz",
    );
    assert.deepEqual([benchmark, fault], ["tau3-bench", null]);
    const [record] = records;
    assert.deepEqual([record?.trial, record?.stop, record?.task], [
      1,
      "user_stop",
      0,
    ]);
    const turns = turnsOf(record?.turns ?? []);
    assert.deepEqual(
      turns.map(({ action, observation }) => [
        action.type === "tool" ? action.call.id : action.content,
        observation.content,
        observation.done,
      ]),
      [
        ["a", "Error: none", false],
        ["b", "Sold.", false],
        ["It costs 1000. Light your lamp.", "Done. ###STOP###", true],
      ],
    );
    const [first, , last] = turns;
    assert.deepEqual(first?.openingCalls?.map(({ call }) => call.id), ["u0"]);
    assert.deepEqual(
      last?.observation.userCalls?.map(({ call, content }) => [
        call.name,
        content,
      ]),
      [["press", "It is lit."]],
    );
    assert(first?.action.type === "tool");
    assert.equal(first.action.content, "I sell.");
    assert.deepEqual(first.action.beside?.map(({ id }) => id), ["b"]);
    assert.deepEqual(
      record?.messages.map((message) => message.get("role")),
      ["assistant", "user", "assistant", "tool", "tool", "assistant", "user"],
    );
    assert.deepEqual(record?.reward?.parts, { database: 0, outputs: 1 });
    assert.deepEqual(
      record?.reward?.checks?.map(({ part, counts, met }) => [
        part,
        counts,
        met,
      ]),
      [["DB", true, false], ["ACTION", false, true], [
        "COMMUNICATE",
        true,
        true,
      ]],
    );
  }
});

Deno.test("openResults() skips and names an unreadable τ³-bench simulation", () => {
  const bad = [
    [1, /simulation 2 is not an object/],
    [simulation({ task_id: undefined }), /simulation 2 has no task_id/],
    [simulation({ messages: 1 }), /simulation 2 has no list of messages/],
    [simulation({ messages: [] }), /simulation 2 has no messages/],
    [
      simulation({ messages: [said("assistant", "a"), { role: "tool" }] }),
      /simulation 2 has a message that cannot be read \(messages\[1\]: /,
    ],
    [
      simulation({ reward_info: { reward: "x" } }),
      /simulation 2 has a reward_info that cannot be read/,
    ],
  ] as const;
  for (const [wrong, expected] of bad) {
    const file = open(fileText(simulation(), wrong, simulation()));
    assert.deepEqual(file.records.map(({ number }) => number), [1, 3]);
    assert.match(file.fault ?? "", /^1 of 3 records cannot be read: /);
    assert.match(file.fault ?? "", expected);
  }
});

Deno.test("openResults() reads the complete simulations of a truncated τ³-bench file", () => {
  const text = fileText(simulation(), simulation({ trial: 2 }), simulation());
  const file = open(text.slice(0, text.lastIndexOf('"reward_info"')));
  assert.deepEqual(file.records.map(({ trial }) => trial), [1, 2]);
  assert.match(
    file.fault ?? "",
    /simulation 3 is not JSON, and no simulation after it can be read/,
  );
  const cases = [
    [text.slice(0, 200), /r\.json/],
    [fileText(), /no readable tau3-bench simulation/],
    [
      '{"info": {}, "simulation_index": []}',
      /no readable tau3-bench simulation/,
    ],
    [fileText({}), /simulation 1 has no task_id/],
  ] as const;
  for (const [wrong, expected] of cases) {
    assert.throws(
      () => open(wrong),
      (error) => error instanceof DataError && expected.test(error.message),
    );
  }
});

Deno.test("openResults() of τ³-bench marks infrastructure errors as failed and keeps the names of other ends", () => {
  const file = open(fileText(
    simulation({
      messages: [],
      reward_info: null,
      termination_reason: "infrastructure_error",
      info: { error: "litellm.RateLimitError: 429", error_type: "X" },
    }),
    simulation({ termination_reason: "max_steps" }),
    simulation({ termination_reason: "agent_error", reward_info: null }),
  ));
  assert.deepEqual(
    file.records.map(({ stop, failure, reward }) => [
      stop,
      failure?.kind ?? null,
      reward?.value ?? null,
    ]),
    [["failed", "rate_limited", null], ["max_turns", null, 0], [
      "agent_error",
      null,
      null,
    ]],
  );
});

Deno.test("openResults() of τ³-bench uses the file's tasks with the directory's databases", () =>
  inTempDir(async (dir) => {
    await writeToyBundle(dir);
    const other = { ...TOY_TASK, ticket: "Another." };
    const text = fileText(simulation(), simulation({ task_id: "new" }));
    const known = await open(text).tasksIn(dir);
    assert.deepEqual([known.get(1)?.isRecorded, known.get(2)], [false, null]);
    const changed = open(
      JSON.stringify({
        ...JSON.parse(text),
        tasks: [other, {
          ...TOY_TASK,
          id: "new",
        }],
      }),
    );
    const recorded = await changed.tasksIn(dir);
    assert.deepEqual(
      [1, 2].map((number) => recorded.get(number)?.isRecorded),
      [true, true],
    );
    const { dataset, task } = recorded.get(2)!;
    const turns = turnsOf(changed.records[1]!.turns);
    const { writes } = dataset.rules!.replay(task, turns);
    assert(writes.some(({ action }) => action.name === "sell"));
    assert(writes.some(({ action }) => action.by === "user"));
    const lost = open(JSON.stringify(simulation()));
    await assert.rejects(lost.tasksIn(dir), /does not name its domain/);
  }));
