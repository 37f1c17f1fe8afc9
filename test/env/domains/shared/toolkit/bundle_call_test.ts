import assert, { AssertionError } from "node:assert/strict";
import { createDatabase } from "../../../../../env/database.ts";
import { type Databases, defineDomain } from "../../../../../env/domain.ts";
import {
  type BundleCall,
  callBundle,
} from "../../../../../env/domains/shared/toolkit/bundle_call.ts";
import { defineBundleTool } from "../../../../../env/domains/shared/toolkit/bundle_tool.ts";
import { ToolError } from "../../../../../env/errors.ts";
import type { JsonValue } from "../../../../../env/python/python_value.ts";

const setLight = defineBundleTool({
  className: "LampTools",
  name: "set_light",
  kind: "write",
  parameters: ["lamp_id", { name: "is_on", default: true }, "by"],
  run(database, { lamp_id, is_on, by }) {
    const lamp = database.edit("lamps", String(lamp_id));
    if (lamp === undefined) throw new ToolError(`No lamp ${lamp_id}`);
    lamp.set("is_on", is_on);
    if (by === "nobody") throw new ToolError("somebody has to");
    return lamp;
  },
});

const breakDown = defineBundleTool({
  className: "LampTools",
  name: "break_down",
  kind: "generic",
  parameters: [],
  run: () => {
    throw new AssertionError({ message: "a bug" });
  },
});

const look = defineBundleTool({
  className: "EyeTools",
  name: "look",
  kind: "read",
  parameters: [],
  run: (database) => String(database.get("seen", "light")?.get("is_on")),
});

const lamps = defineDomain({
  benchmark: "test",
  name: "lamps",
  rowSchemas: new Map(),
  tools: [setLight, breakDown],
  bundle: {
    load: databases,
    hash: () => "",
    isSame: () => true,
    userTools: [look],
    sync({ agent, user }) {
      const isOn = agent.get("lamps", "L1")?.get("is_on") ?? null;
      if (isOn === "purple") throw new ToolError("no such colour");
      user?.edit("seen", "light")?.set("is_on", isOn);
    },
  },
});

function databases(): Databases {
  const row = () => new Map<string, JsonValue>([["is_on", false]]);
  return {
    agent: createDatabase(new Map([["lamps", new Map([["L1", row()]])]])),
    user: createDatabase(new Map([["seen", new Map([["light", row()]])]])),
  };
}

/** Creates a world, and a function that makes calls in it and returns their results. */
function world({ solo = false } = {}) {
  const both = databases();
  const call = (
    requestor: BundleCall["requestor"],
    name: string,
    args: Record<string, JsonValue> = {},
  ) => {
    const call = { requestor, name, arguments: new Map(Object.entries(args)) };
    const { content, error } = callBundle(lamps, both, call, { solo });
    assert.equal(error, content.startsWith("Error: "));
    return content;
  };
  return { ...both, call };
}

Deno.test("callBundle() gives each side its tools and its database", () => {
  const { call } = world();
  assert.equal(call("user", "look"), "false");
  assert.equal(call("agent", "look"), "Error: Tool 'look' not found.");
  assert.equal(
    call("user", "set_light"),
    "Error: Tool 'set_light' not found.",
  );
});

Deno.test("callBundle() fills in defaults, and syncs after a call", () => {
  const { call } = world();
  assert.equal(
    call("agent", "set_light", { by: "me", lamp_id: "L1" }),
    '{"is_on": "True"}',
  );
  assert.equal(call("user", "look"), "true");
  assert.equal(
    call("agent", "set_light", { lamp_id: "L1", is_on: null, by: "me" }),
    '{"is_on": null}',
    "null is an argument",
  );
});

Deno.test("callBundle() treats null as a given argument", () => {
  const { agent, call } = world();
  call("agent", "set_light", { lamp_id: "L1", is_on: null, by: null });
  assert.equal(agent.get("lamps", "L1")?.get("is_on"), null);
});

Deno.test("callBundle() keeps changes made before an error, and does not sync after it", () => {
  const { agent, user, call } = world();
  assert.equal(
    call("agent", "set_light", { lamp_id: "L1", by: "nobody" }),
    "Error: somebody has to",
  );
  assert.equal(agent.get("lamps", "L1")?.get("is_on"), true);
  assert.equal(user?.get("seen", "light")?.get("is_on"), false);
});

Deno.test("callBundle() answers with the error of a failed sync", () => {
  const { agent, call } = world();
  assert.equal(
    call("agent", "set_light", { lamp_id: "L1", is_on: "purple", by: "me" }),
    "Error: no such colour",
  );
  assert.equal(agent.get("lamps", "L1")?.get("is_on"), "purple");
});

Deno.test("callBundle() binds arguments in Python's order, with Python's messages", () => {
  const { call } = world();
  const own = "Environment.make_tool_call() got multiple values for";
  assert.equal(
    call("agent", "nothing", { self: 1, requestor: 2 }),
    `Error: tau2.environment.environment.${own} keyword argument 'requestor'`,
  );
  assert.equal(
    call("agent", "nothing", { a: 1, tool_name: 2, self: 1 }),
    `Error: ${own} argument 'tool_name'`,
  );
  assert.equal(
    call("agent", "nothing", { self: 2 }),
    `Error: ${own} argument 'self'`,
  );
  assert.equal(
    call("agent", "set_light", { lamp_id: 1, x: 2, y: 3 }),
    "Error: LampTools.set_light() got an unexpected keyword argument 'x'",
  );
  assert.equal(
    call("agent", "set_light", { is_on: 1 }),
    "Error: LampTools.set_light() missing 2 required positional arguments: 'lamp_id' and 'by'",
  );
});

Deno.test("callBundle() in solo mode gives the agent both sides' tools, and the user none", () => {
  const { call } = world({ solo: true });
  assert.equal(call("agent", "look"), "false");
  assert.equal(
    call("user", "look"),
    "Error: User tool calls are not allowed in solo mode",
  );
});

Deno.test("callBundle() reports that a domain's users have no tools", () => {
  const { agent } = databases();
  const { userTools: _, ...bundle } = lamps.bundle;
  const call = { requestor: "user", name: "x", arguments: new Map() } as const;
  assert.equal(
    callBundle({ ...lamps, bundle }, { agent }, call).content,
    "Error: User tools not available",
  );
});

Deno.test("callBundle() does not blame the caller for a failed assertion", () => {
  assert.throws(
    () => world().call("agent", "break_down"),
    { name: "InfrastructureError", kind: "bug", source: "environment" },
  );
});

Deno.test("callBundle() names the missing part of a one-sided domain", () => {
  const { bundle: _, ...single } = lamps;
  const call = { requestor: "agent", name: "x", arguments: new Map() } as const;
  assert.throws(
    () => callBundle(single, databases(), call),
    { name: "ConfigError", part: "bundle" },
  );
});
