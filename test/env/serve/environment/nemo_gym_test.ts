/**
 * Tests NeMo Gym's Gymnasium protocol with requests as its agent sends them: the body has the dataset row, and a cookie
 * identifies the session.
 */

import assert from "node:assert/strict";
import { expertAgent } from "../../../../env/agents/expert.ts";
import { printPythonJson } from "../../../../env/python/python_json.ts";
import { rollout } from "../../../../env/rollout.ts";
import type { Action } from "../../../../env/types.ts";
import { scriptedUser } from "../../../../env/users/scripted.ts";
import {
  type EnvironmentServer,
  environmentServer,
  SERVED_DATASET,
} from "../../../support/environment_server.ts";

const dataset = SERVED_DATASET;

/** Returns the output items of a model's answer with one action. */
function outputOf(action: Action, at = 0): object[] {
  if (action.type === "tool") {
    const { name, arguments: args } = action.call;
    return [{ type: "reasoning", summary: [] }, {
      type: "function_call",
      name,
      call_id: `c${at}`,
      arguments: printPythonJson(args),
    }];
  }
  const { content: text } = action;
  const part = { type: "output_text", text, annotations: [] };
  return [{ type: "message", role: "assistant", content: [part] }];
}

/** Starts a session as NeMo Gym's agent does. */
async function begin(server: EnvironmentServer, row: object) {
  const { status, headers, json } = await server.post("/reset", row);
  assert.equal(status, 200, JSON.stringify(json));
  const cookie = headers.get("set-cookie")!.split(";")[0]!;
  return {
    reset: json,
    step: (output: object[]) =>
      server.post("/step", { ...row, response: { output } }, { cookie }),
    close: () => server.post("/close", {}, { cookie }),
  };
}

async function rowsOf(server: EnvironmentServer, query = "") {
  const response = await fetch(`${server.url}/nemo-gym/rows${query}`);
  const lines = (await response.text()).trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}

Deno.test("an episode over NeMo Gym's protocol equals a rollout, with its reward at the end", async () => {
  await using server = environmentServer();
  const rows = await rowsOf(server);
  assert.equal(rows.length, dataset.tasks("train").length);
  const row = rows[2];
  const { input, tools } = row.responses_create_params;
  assert.deepEqual(input.map(({ role }: { role: string }) => role), ["system"]);
  assert.equal(tools[0].type, "function");
  assert.equal(typeof tools[0].name, "string");
  const episode = await rollout({
    ...{ dataset, task: dataset.tasks("train")[2]!, seed: row.seed },
    agent: expertAgent(),
    user: scriptedUser(dataset),
  });
  const session = await begin(server, row);
  assert.equal(
    session.reset.observation,
    episode.messages.find(({ role }) => role === "user")!.content,
  );
  for (const [at, { action, observation }] of episode.turns.entries()) {
    const { status, json } = await session.step(outputOf(action, at));
    assert.equal(status, 200, JSON.stringify(json));
    const isLast = at === episode.turns.length - 1;
    assert.equal(json.terminated, isLast);
    assert.equal(json.reward, isLast ? 1 : 0);
    if (action.type === "respond") {
      assert.equal(json.observation, observation.content);
    } else {
      const { content: output } = observation;
      assert.equal(json.observation, null);
      assert.deepEqual(json.info.tool_outputs, [{ call_id: `c${at}`, output }]);
    }
  }
  assert.equal(session.reset.info.supports_explicit_close, true);
  assert.equal(server.sessions.size, 1);
  await session.close();
  assert.equal(server.sessions.size, 0);
});

Deno.test("all calls of an answer run in order, and a call that cannot be parsed is answered with the reason", async () => {
  await using server = environmentServer();
  const [row] = await rowsOf(server, "?split=test");
  assert.equal(row.split, "test");
  const session = await begin(server, row);
  const call = (call_id: string, args: string) => ({
    type: "function_call",
    name: "list_all_product_types",
    call_id,
    arguments: args,
  });
  const { json } = await session.step([call("a", "{}"), call("b", "{")]);
  const [good, bad] = json.info.tool_outputs;
  assert.match(good.output, /^\{/);
  assert.match(bad.output, /^Error: the arguments of list_all_product_types/);
  for (let i = 0; i < 2; i++) {
    assert.equal((await session.step([call("c", "[]")])).json.truncated, false);
  }
  const { json: last } = await session.step([call("d", "[]")]);
  assert.deepEqual([last.truncated, last.reward], [true, 0]);
  for (const args of ["{}", "["]) {
    const late = await session.step([call("e", args)]);
    assert.equal(late.status, 409);
    assert.match(late.json.error.message, /its episode with "parse_errors"/);
  }
  const { ended, failed } = server.sessions.metrics.counts;
  assert.deepEqual([ended, failed], [1, 0]);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /episodes_total{stop_reason="parse_errors"} 1/);
});

Deno.test("an ended episode accepts no further answer, not even one that cannot be parsed", async () => {
  await using server = environmentServer();
  const session = await begin(server, (await rowsOf(server))[0]);
  const call = (name: string, args: string) =>
    session.step([
      { type: "function_call", name, call_id: "c", arguments: args },
    ]);
  const { json } = await call("transfer_to_human_agents", '{"summary": "x"}');
  assert.equal(json.terminated, true);
  assert.equal((await call("list_all_product_types", "[")).status, 409);
});

Deno.test("rows of a split that the dataset lacks are a 404 that lists its splits", async () => {
  await using server = environmentServer();
  for (const split of ["full", "tset"]) {
    const url = `${server.url}/nemo-gym/rows?split=${split}`;
    const response = await fetch(url);
    const { error } = await response.json();
    assert.equal(response.status, 404);
    assert.equal(
      error.message,
      `There is no split "${split}" in generated; it has train, dev, test`,
    );
  }
});

Deno.test("an empty body is an empty object: /close needs only the cookie, and /aggregate_metrics names its field", async () => {
  await using server = environmentServer();
  const [row] = await rowsOf(server);
  const { headers } = await server.post("/reset", row);
  const cookie = headers.get("set-cookie")!.split(";")[0]!;
  const post = (path: string, headers = {}) =>
    fetch(`${server.url}${path}`, { method: "POST", headers });
  const unnamed = await post("/close");
  assert.equal(unnamed.status, 400);
  assert.match((await unnamed.json()).error.message, /^session_id: expected/);
  const closed = await post("/close", { cookie });
  assert.deepEqual(await closed.json(), { status: "closed" });
  assert.equal(server.sessions.size, 0);
  const metrics = await post("/aggregate_metrics");
  assert.equal(metrics.status, 400);
  const { error: { message } } = await metrics.json();
  assert.match(message, /^verify_responses: expected array/);
  const step = await post("/step");
  assert.match((await step.json()).error.message, /^session_id: expected/);
});

Deno.test("unknown sessions and invalid answers are rejected", async () => {
  await using server = environmentServer();
  const [row] = await rowsOf(server);
  const lost = await server.post("/step", { ...row, response: { output: [] } });
  assert.equal(lost.status, 404);
  const session = await begin(server, row);
  const odd = await session.step([{ type: "nothing" }]);
  assert.equal(odd.status, 400);
  assert.match(odd.json.error.message, /response\.output\.0/);
  assert.equal((await server.post("/reset", { ...row, task: 99 })).status, 404);
  assert.equal(server.sessions.size, 1);
});

Deno.test("paths may begin with the rollout, as NeMo Gym's do for its records", async () => {
  await using server = environmentServer();
  const [row] = await rowsOf(server);
  const { status, headers } = await server.post("/ng-rollout/0-1/reset", row);
  assert.equal(status, 200);
  const cookie = headers.get("set-cookie")!.split(";")[0]!;
  await server.post("/ng-rollout/0-1/close", {}, { cookie });
  assert.equal(server.sessions.size, 0);
  assert.equal((await server.post("/ng-rollout/reset", row)).status, 404);
});

Deno.test("/aggregate_metrics summarizes the numbers of rollouts, overall and by task, except masked rollouts", async () => {
  await using server = environmentServer();
  const result = (task: number, rollout: number, reward: number) => ({
    ...{ _ng_task_index: task, _ng_rollout_index: rollout, reward },
    terminated: true,
    response: { usage: { output_tokens: 10 * reward } },
  });
  const { status, json } = await server.post("/aggregate_metrics", {
    verify_responses: [
      ...[result(0, 0, 1), result(0, 1, 0), result(1, 0, 0.5)],
      { ...result(2, 0, 1), mask_sample: true },
    ],
  });
  assert.equal(status, 200, JSON.stringify(json));
  const { agent_metrics: agent, key_metrics: key } = json;
  assert.deepEqual(key, {
    "mean/reward": 0.5,
    "mean/terminated": 1,
    "mean/output_tokens": 5,
    "coverage/measured_rollouts": 3,
    "coverage/masked_rollouts": 1,
    "coverage/measured_tasks": 2,
    "coverage/fully_masked_tasks": 1,
  });
  assert.deepEqual(
    ["max", "min", "median", "std"].map((name) => agent[`${name}/reward`]),
    [1, 0, 0.5, 0.5],
  );
  assert.equal(agent.num_repeats, 2);
  const [first, second] = json.group_level_metrics;
  assert.deepEqual([first.num_rollouts, first["mean/reward"]], [2, 0.5]);
  assert.deepEqual([second.num_rollouts, second["std/reward"]], [1, 0]);
  assert.deepEqual(
    first.rollout_infos.map(
      ({ rollout_id: id, reward }: Record<string, unknown>) => [id, reward],
    ),
    [["0:0", 1], ["0:1", 0]],
  );
  const odd = await server.post("/aggregate_metrics", { verify_responses: 1 });
  assert.equal(odd.status, 400);
  assert.match(odd.json.error.message, /verify_responses/);
});

Deno.test("/aggregate_metrics summarizes numbers with the names of inherited properties", async () => {
  await using server = environmentServer();
  const { json } = await server.post("/aggregate_metrics", {
    verify_responses: [{ toString: 3 }, { reward: 1 }, { constructor: true }],
  });
  const { agent_metrics: agent, key_metrics: key } = json;
  assert.deepEqual(key, {
    "mean/toString": 3,
    "mean/reward": 1,
    "mean/constructor": 1,
  });
  assert.deepEqual([agent["max/toString"], agent["median/toString"]], [3, 3]);
});

Deno.test("/aggregate_metrics takes time in proportion to the body, even if it has many names", async () => {
  await using server = environmentServer();
  const names = Array.from({ length: 40_000 }, (_, at) => [`k${at}`, 1]);
  const rows = Array.from({ length: 40_000 }, () => ({ reward: 1 }));
  const begun = performance.now();
  const { status, json } = await server.post("/aggregate_metrics", {
    verify_responses: [Object.fromEntries(names), ...rows],
  });
  // This takes a second or two; reading every row for each name would take more than a minute.
  assert.ok(performance.now() - begun < 30_000);
  assert.equal(status, 200, JSON.stringify(json));
  assert.equal(Object.keys(json.key_metrics).length, 40_001);
});

Deno.test("/aggregate_metrics takes the results of a large collection, over the limit of other bodies", async () => {
  await using server = environmentServer();
  const verify_responses = Array.from({ length: 4000 }, (_, task) => ({
    _ng_task_index: task,
    reward: task % 2,
    info: { text: "x".repeat(500) },
  }));
  const { status, json } = await server.post("/aggregate_metrics", {
    verify_responses,
  });
  assert.equal(status, 200, JSON.stringify(json));
  assert.equal(json.key_metrics["mean/reward"], 0.5);
});
