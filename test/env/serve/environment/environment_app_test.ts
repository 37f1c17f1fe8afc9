import assert from "node:assert/strict";
import { InfrastructureError } from "../../../../env/errors.ts";
import { expertAgent } from "../../../../env/agents/expert.ts";
import { rollout } from "../../../../env/rollout.ts";
import { printPythonJson } from "../../../../env/python/python_json.ts";
import type { Action } from "../../../../env/types.ts";
import { scriptedUser } from "../../../../env/users/scripted.ts";
import {
  environmentServer,
  SERVED_DATASET,
} from "../../../support/environment_server.ts";

const dataset = SERVED_DATASET;
const LIST = { type: "call_tool", tool_name: "list_all_product_types" };
const HAND_OVER = {
  type: "call_tool",
  tool_name: "transfer_to_human_agents",
  arguments: { summary: "x" },
};

/** Returns the request body of a step. The numbers in the action's arguments are formatted as in Python. */
function stepBody(session_id: string, action: Action): string {
  const call = action.type === "tool"
    ? `{"type": "call_tool", "tool_name": ${
      JSON.stringify(action.call.name)
    }, "arguments": ${printPythonJson(action.call.arguments)}}`
    : JSON.stringify(action);
  return `{"session_id": ${JSON.stringify(session_id)}, "action": ${call}}`;
}

Deno.test("an episode over HTTP equals a rollout: the same messages, observations and reward", async () => {
  await using server = environmentServer();
  for (const task of dataset.tasks("train")) {
    const episode = await rollout({
      dataset,
      task,
      agent: expertAgent(),
      user: scriptedUser(dataset),
      seed: 5,
    });
    const { json: reset } = await server.post("/reset", {
      task: task.index,
      seed: 5,
    });
    assert.equal(reset.observation.task_id, task.id);
    assert.deepEqual(
      reset.observation.messages[1],
      episode.messages.find(({ role }) => role === "user"),
    );
    const { session_id } = reset.observation;
    let last = reset;
    for (const { action, observation } of episode.turns) {
      assert.equal(last.done, false);
      assert.equal(last.reward, null);
      const step = await server.post("/step", stepBody(session_id, action));
      last = step.json;
      assert.equal(last.observation.content, observation.content);
    }
    assert.equal(last.done, true);
    assert.equal(last.reward, episode.reward?.value);
    assert.equal(last.reward, 1);
  }
});

Deno.test("sessions are isolated: writes and steps do not affect other sessions", async () => {
  await using server = environmentServer();
  const open = async () =>
    (await server.post("/reset", { task: 0, seed: 1 })).json.observation
      .session_id as string;
  const [one, other] = [await open(), await open()];
  const call = { session_id: one, action: LIST };
  assert.equal((await server.post("/step", call)).status, 200);
  const stateOf = async (id: string) =>
    await (await fetch(`${server.url}/state?session_id=${id}`)).json();
  assert.equal((await stateOf(one)).step_count, 1);
  assert.equal((await stateOf(other)).step_count, 0);
  await server.post("/close", { session_id: one });
  assert.equal((await server.post("/step", call)).status, 404);
  assert.equal((await stateOf(other)).task, 0);
});

Deno.test("sessions without task and seed play the split in order, and the same way after a restart", async () => {
  async function drawn() {
    await using server = environmentServer();
    const seen: [number, number][] = [];
    for (let i = 0; i < 5; i++) {
      const { json } = await server.post("/reset", {});
      seen.push([json.observation.task, json.observation.seed]);
    }
    return seen;
  }
  const first = await drawn();
  assert.deepEqual(first.map(([task]) => task), [0, 1, 2, 3, 0]);
  assert.deepEqual(await drawn(), first);
});

Deno.test("an episode truncated by maxTurns has the reward 0", async () => {
  await using server = environmentServer({ world: { maxTurns: 2 } });
  const { json } = await server.post("/reset", {});
  const { session_id } = json.observation;
  const step = { session_id, action: LIST };
  assert.equal((await server.post("/step", step)).json.done, false);
  const { json: last } = await server.post("/step", step);
  assert.equal(last.done, true);
  assert.equal(last.observation.stop_reason, "max_turns");
  assert.equal(last.reward, 0);
});

Deno.test("a rejected request has a reason and a status, and does not change the session", async () => {
  await using server = environmentServer({
    app: { limits: { maxBytes: 999 } },
  });
  const { json } = await server.post("/reset", {});
  const { session_id } = json.observation;
  const cases: [path: string, body: unknown, status: number, says: RegExp][] = [
    ["/reset", "{", 400, /not JSON/],
    ["/reset", "[]", 400, /not a JSON object/],
    ["/reset", { sed: 1 }, 400, /"sed".*; did you mean "seed"\?$/],
    ["/reset", { taks: 1 }, 400, /"taks".*; did you mean "task"\?$/],
    ["/reset", { xyzzy: 1 }, 400, /unrecognized key: "xyzzy"$/],
    ["/reset", { task: 99 }, 404, /has no task 99/],
    ["/reset", { split: "base" }, 404, /no split "base"/],
    ["/reset", { session_id: "x" }, 404, /There is no session "x"/],
    ["/step", { action: LIST }, 400, /session_id/],
    ["/step", { session_id }, 400, /action: must be an object/],
    [
      "/step",
      { session_id, action: { type: "go" } },
      400,
      /respond, call_tool/,
    ],
    ["/step", { session_id, action: { type: "respond" } }, 400, /content/],
    ["/step", { session_id, action: { ...LIST, x: 1 } }, 400, /action\.x/],
    ["/step", { session_id, action: { ...LIST, arguments: "[" } }, 400, /JSON/],
    [
      "/step",
      { session_id, action: { ...LIST, arguments: [] } },
      400,
      /object/,
    ],
    ["/step", "x".repeat(1000), 413, /larger than 999/],
    ["/no", {}, 404, /There is no endpoint POST/],
  ];
  for (const [path, body, status, says] of cases) {
    const answer = await server.post(path, body);
    assert.equal(answer.status, status, JSON.stringify(body));
    assert.match(answer.json.error.message, says);
  }
  assert.equal(server.sessions.size, 1);
  const good = await server.post("/step", { session_id, action: LIST });
  assert.equal(good.status, 200);
});

Deno.test("an ended episode accepts no further step, and a reset starts another", async () => {
  await using server = environmentServer();
  const { json } = await server.post("/reset", {});
  const step = { session_id: json.observation.session_id, action: HAND_OVER };
  assert.equal((await server.post("/step", step)).json.done, true);
  const late = await server.post("/step", step);
  assert.equal(late.status, 409);
  assert.match(late.json.error.message, /ended its episode with "transfer"/);
  const { session_id } = step;
  assert.equal((await server.post("/reset", { session_id })).status, 200);
  assert.equal((await server.post("/step", step)).json.done, true);
});

Deno.test("a failed user gives status 502 and no reward, is counted by source and kind, and the session can be reset", async () => {
  let fails = true;
  const scripted = scriptedUser(dataset);
  await using server = environmentServer({
    world: {
      user: (task, options) => {
        const user = scripted(task, options);
        return {
          open: () => user.open(),
          reply(message) {
            if (!fails) return user.reply(message);
            throw new InfrastructureError("no answer", {
              kind: "rate_limited",
              source: "user",
            });
          },
        };
      },
    },
  });
  const { json } = await server.post("/reset", {});
  const { session_id } = json.observation;
  const action = { type: "respond", content: "hello" };
  const failed = await server.post("/step", { session_id, action });
  assert.equal(failed.status, 502);
  assert.match(failed.json.error.message, /user failed \(rate_limited\)/);
  assert.equal(
    (await server.post("/step", { session_id, action })).status,
    409,
  );
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /failures_total{source="user",kind="rate_limited"} 1/);
  assert.equal(server.sessions.metrics.counts.ended, 0);
  fails = false;
  await server.post("/reset", { session_id });
  assert.equal(
    (await server.post("/step", { session_id, action })).status,
    200,
  );
});

Deno.test("a session answers one request at a time, and closing it aborts the current one", async () => {
  const asked = Promise.withResolvers<void>();
  await using server = environmentServer({
    world: {
      user: () => ({
        open: () => Promise.resolve("hi"),
        reply: (_, { signal } = {}) =>
          new Promise((_, reject) => {
            asked.resolve();
            signal!.addEventListener("abort", () => reject(signal!.reason));
          }),
      }),
    },
  });
  const { json } = await server.post("/reset", {});
  const { session_id } = json.observation;
  const action = { type: "respond", content: "hello" };
  const waiting = server.post("/step", { session_id, action });
  await asked.promise;
  const other = await server.post("/step", { session_id, action });
  assert.equal(other.status, 409);
  await server.post("/close", { session_id });
  assert.equal((await waiting).status, 404);
});

Deno.test("sessions end after their idle timeout, and their number is limited", async () => {
  let now = 0;
  await using server = environmentServer({
    maxSessions: 2,
    idleMs: 1000,
    now: () => now,
  });
  const open = async () => (await server.post("/reset", {}));
  const one = (await open()).json.observation.session_id;
  await open();
  const full = await open();
  assert.equal(full.status, 503);
  assert.equal(full.headers.get("retry-after"), "1");
  now = 900;
  const step = { session_id: one, action: LIST };
  assert.equal((await server.post("/step", step)).status, 200);
  now = 1500;
  assert.equal((await open()).status, 200, "the other was idle");
  assert.equal((await server.post("/step", step)).status, 200);
  now = 5000;
  server.sessions.sweep();
  assert.equal(server.sessions.size, 0);
  assert.equal(server.sessions.metrics.counts.idle, 3);
  assert.equal((await server.post("/step", step)).status, 404);
});

Deno.test("a used-up budget gives status 402", async () => {
  const halt = AbortSignal.abort(new Error("The budget of 1 USD is spent"));
  await using server = environmentServer({ world: { halt } });
  const { status, json } = await server.post("/reset", {});
  assert.equal(status, 402);
  assert.match(json.error.message, /1 USD/);
  assert.equal(server.sessions.size, 0);
});

Deno.test("without a token, only programs on this machine have access; with a token, every client that sends it", async () => {
  await using open = environmentServer();
  const page = { origin: "http://evil.example" };
  assert.equal((await open.post("/reset", {}, page)).status, 403);
  const form = { "content-type": "text/plain" };
  assert.equal((await open.post("/reset", {}, form)).status, 415);
  await using closed = environmentServer({ app: { token: "secret" } });
  const { status, headers } = await closed.post("/reset", {});
  assert.equal(status, 401);
  assert.match(headers.get("www-authenticate") ?? "", /Bearer/);
  const basic = (password: string) => ({
    authorization: `Basic ${btoa(`any:${password}`)}`,
  });
  const bearer = { authorization: "Bearer secret" };
  assert.equal((await closed.post("/reset", {}, bearer)).status, 200);
  assert.equal((await closed.post("/reset", {}, basic("secret"))).status, 200);
  assert.equal((await closed.post("/reset", {}, basic("other"))).status, 401);
  const health = await fetch(`${closed.url}/health`);
  assert.equal((await health.json()).open, 2);
});

Deno.test("1,000 sessions are open at once, each with its own episode", async () => {
  await using server = environmentServer();
  const opened = await Promise.all(
    Array.from({ length: 1000 }, async (_, seed) => {
      const { json } = await server.post("/reset", { seed });
      const { session_id } = json.observation;
      await server.post("/step", { session_id, action: LIST });
      return { session_id, seed };
    }),
  );
  assert.equal(server.sessions.size, 1000);
  for (const { session_id, seed } of opened) {
    const { episode } = server.sessions.get(session_id);
    assert.equal(episode?.seed, seed);
    assert.equal(episode?.environment.turns.length, 1);
  }
});
