import assert from "node:assert/strict";
import { registerAgent } from "../../env/agents/registry.ts";
import { toolCallingAgent } from "../../env/agents/tool_calling.ts";
import { generated } from "../../env/generated/generated.ts";
import { createMeter } from "../../env/models/meter.ts";
import { Registry } from "../../env/registry.ts";
import { registerUser } from "../../env/users/registry.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import { makeConfig } from "../../train/config/config.ts";
import { openUser } from "../../train/config/open_user.ts";

Deno.test("Registry keeps entries in order, and rejects names that are taken or invalid", () => {
  const registry = new Registry("user", { one: 1 });
  const schema = registry.schema(["also"]);
  assert.ok(!schema.safeParse("two").success);
  registry.register("two", 2);
  assert.deepEqual(registry.names, ["one", "two"]);
  assert.equal(registry.get("two"), 2);
  assert.ok(schema.safeParse("two").success);
  assert.ok(schema.safeParse("also").success);
  const { choices } = schema.meta() as { choices: () => string[] };
  assert.deepEqual(choices(), ["one", "two", "also"]);
  assert.throws(() => registry.register("one", 3), /is already registered/);
  assert.throws(
    () => registry.register("A b", 3),
    /Cannot register the user .*: the name is not valid/,
  );
  assert.throws(
    () => registry.get("on"),
    {
      name: "ConfigError",
      message: /did you mean "one"\?$/,
      hint: /one, two, .*--preload FILE/,
    },
  );
});

Deno.test("registerUser() and registerAgent() register names that a config accepts", async () => {
  assert.throws(
    () => makeConfig({ user: { strategy: "quiet" } }),
    /user\.strategy/,
  );
  registerUser("quiet", { open: ({ dataset }) => scriptedUser(dataset) });
  registerUser("terse-by-default", {
    open: () => () => ({
      open: () => Promise.resolve("hi"),
      reply: () => Promise.resolve("no"),
    }),
  });
  registerAgent("blind", {
    open: ({ model }) => toolCallingAgent({ model, prompt: "none" }),
  });
  const config = makeConfig({
    user: { strategy: "terse-by-default" },
    agent: "blind",
  });
  const dataset = await generated(1, {
    trainTasks: 1,
    devTasks: 1,
    testTasks: 1,
  });
  const user = await openUser(config, { dataset, meter: createMeter() });
  assert.equal(user.label, "terse-by-default");
  assert.equal(
    await user(dataset.tasks("test")[0]!, { seed: 1 }).open(),
    "hi",
  );
});
