import assert from "node:assert/strict";
import { scriptedUser } from "../../../../env/users/scripted.ts";
import {
  environmentServer,
  SERVED_DATASET,
} from "../../../support/environment_server.ts";

/** Connects a WebSocket client that reads the server's answers in order. */
async function connect(url: string) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`);
  // deno-lint-ignore no-explicit-any -- tests look into answers freely
  const got: any[] = [];
  let arrived = Promise.withResolvers<void>();
  socket.onmessage = ({ data }) => {
    got.push(JSON.parse(data));
    arrived.resolve();
  };
  const ended = new Promise<number>((resolve) => {
    socket.onclose = ({ code }) => {
      arrived.resolve();
      resolve(code);
    };
  });
  await new Promise((resolve) => socket.onopen = resolve);
  async function next() {
    while (got.length === 0 && socket.readyState === WebSocket.OPEN) {
      await arrived.promise;
      arrived = Promise.withResolvers();
    }
    return got.shift();
  }
  return {
    socket,
    ended,
    next,
    async ask(message: unknown) {
      socket.send(
        typeof message === "string" ? message : JSON.stringify(message),
      );
      return await next();
    },
  };
}

Deno.test("/ws: each connection is a session, which ends with the connection", async () => {
  await using server = environmentServer();
  const client = await connect(server.url);
  const reset = await client.ask({ type: "reset", data: { seed: 2, task: 1 } });
  assert.equal(reset.type, "observation");
  assert.equal(reset.data.observation.task, 1);
  assert.equal(reset.data.reward, null);
  const step = await client.ask({
    type: "step",
    data: { type: "respond", content: "Hello. What is your name?" },
  });
  assert.equal(step.data.observation.source, "user");
  const state = await client.ask({ type: "state" });
  assert.equal(state.type, "state");
  assert.equal(state.data.step_count, 1);
  assert.equal(server.sessions.size, 1);
  client.socket.send(JSON.stringify({ type: "close" }));
  assert.equal(await client.ended, 1000);
  assert.equal(server.sessions.size, 0);
});

Deno.test("/ws answers errors with OpenEnv's codes, and continues", async () => {
  await using server = environmentServer();
  const client = await connect(server.url);
  const cases: [unknown, string][] = [
    ["{", "INVALID_JSON"],
    [{ type: "mcp" }, "UNKNOWN_TYPE"],
    [{ type: "reset", data: { sed: 1 } }, "VALIDATION_ERROR"],
    [{ type: "step", data: { type: "go" } }, "VALIDATION_ERROR"],
    [
      { type: "step", data: { type: "respond", content: "" } },
      "EXECUTION_ERROR",
    ],
    [{ type: "reset", data: { task: 99 } }, "EXECUTION_ERROR"],
  ];
  for (const [message, code] of cases) {
    const { type, data } = await client.ask(message);
    assert.deepEqual([type, data.code], ["error", code]);
  }
  const { type } = await client.ask({ type: "reset" });
  assert.equal(type, "observation");
  client.socket.close();
  await client.ended;
});

Deno.test("/ws answers an unexpected exception, and the server continues", async () => {
  let fails = true;
  const scripted = scriptedUser(SERVED_DATASET);
  await using server = environmentServer({
    world: {
      user: (task, options) => {
        if (fails) throw new TypeError("a bug");
        return scripted(task, options);
      },
    },
  });
  const client = await connect(server.url);
  const { type, data } = await client.ask({ type: "reset" });
  assert.deepEqual([type, data.code], ["error", "EXECUTION_ERROR"]);
  assert.match(data.message, /a bug/);
  fails = false;
  assert.equal((await client.ask({ type: "reset" })).type, "observation");
  client.socket.close();
  await client.ended;
});

Deno.test("/ws closes if the server is full, a session is idle, or a message is too large", async () => {
  let now = 0;
  await using server = environmentServer({
    maxSessions: 1,
    idleMs: 1000,
    now: () => now,
    app: { limits: { maxBytes: 99 } },
  });
  const first = await connect(server.url);
  assert.equal((await first.ask({ type: "reset" })).type, "observation");
  const second = await connect(server.url);
  assert.equal((await second.next()).data.code, "CAPACITY_REACHED");
  assert.equal(await second.ended, 1013);
  now = 2000;
  server.sessions.sweep();
  assert.equal(await first.ended, 1000);
  const third = await connect(server.url);
  third.socket.send("x".repeat(100));
  assert.equal(await third.ended, 1009);
  assert.equal(server.sessions.metrics.counts.sessions, 2);
});

Deno.test("/schema, /metadata and /health match OpenEnv's clients", async () => {
  await using server = environmentServer();
  const get = async (path: string) =>
    await (await fetch(`${server.url}${path}`)).json();
  const schema = await get("/schema");
  assert.deepEqual(Object.keys(schema), ["action", "observation", "state"]);
  const [respond, call] = schema.action.oneOf;
  assert.deepEqual(respond.required, ["type", "content"]);
  const names = call.properties.tool_name.enum;
  assert.ok(names.includes("list_all_product_types"));
  assert.equal((await get("/metadata")).name, "retail");
  assert.equal((await get("/health")).status, "healthy");
  const plain = await fetch(`${server.url}/ws`);
  assert.equal(plain.status, 400);
  await plain.body?.cancel();
});
