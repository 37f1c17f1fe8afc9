import assert from "node:assert/strict";
import { customTool, withTools } from "../../env/with_tools.ts";
import { diagnose } from "../../env/diagnosis/diagnose.ts";
import { createEnvironment } from "../../env/environment.ts";
import { ConfigError, ToolError } from "../../env/errors.ts";
import type { Dataset } from "../../env/types.ts";
import { withoutTasks } from "../../train/config/exclusions.ts";
import { smallDataset } from "../support/retail_world.ts";

const noteOrder = customTool({
  name: "note_order",
  description: "Writes a note on an order.",
  parameters: {
    order_id: { type: "string" },
    note: { type: "string", description: "What to remember" },
  },
  run(database, { order_id, note }) {
    const row = database.edit("orders", String(order_id));
    if (row === undefined) throw new ToolError("order not found");
    row.set("note", note);
    return "noted";
  },
});

const noted = {
  name: "note_order",
  arguments: new Map([["order_id", "#A"], ["note", "fragile"]]),
};

function world(): Dataset {
  const plain = smallDataset([{ actions: [noted] }, { actions: [] }]);
  return withTools(plain, [noteOrder]);
}

function environment(dataset: Dataset, index = 0) {
  const task = dataset.tasks("test")[index]!;
  const user = {
    open: () => Promise.resolve("hello"),
    reply: () => Promise.resolve("###STOP###"),
  };
  return createEnvironment({ dataset, task, user });
}

Deno.test("withTools() appends the tool's schema to the domain's, with its parameters in order", () => {
  const plain = smallDataset([]);
  const { tools } = world();
  assert.deepEqual(tools.slice(0, -1), plain.tools);
  assert.deepEqual(tools.at(-1)?.function, {
    name: "note_order",
    description: "Writes a note on an order.",
    parameters: {
      type: "object",
      properties: noteOrder.parameters,
      required: ["order_id", "note"],
    },
  });
});

Deno.test("withTools() makes environments run the tool, in gold actions too", async () => {
  const dataset = world();
  const env = environment(dataset);
  await env.open();
  assert.equal(env.reward().value, 0, "the gold has a note");
  const call = { id: "c", ...noted };
  const { content } = await env.step({ type: "tool", call });
  assert.equal(content, "noted");
  assert.equal(env.reward().value, 1);
  assert.equal(dataset.database.get("orders", "#A")?.has("note"), false);
});

Deno.test("withTools() shows the agent a tool's error, and arguments that do not bind", async () => {
  const env = environment(world());
  await env.open();
  const step = async (args: Map<string, string>) => {
    const call = { id: "c", name: "note_order", arguments: args };
    return (await env.step({ type: "tool", call })).content;
  };
  const unknown = new Map([["order_id", "#Z"], ["note", "x"]]);
  assert.equal(await step(unknown), "Error: order not found");
  assert.match(await step(new Map([["note", "x"]])), /^Error: .*'order_id'/);
  assert.equal(env.database.changes().length, 0);
});

Deno.test("withTools() works with diagnoses: an unnecessary note is the decisive write", async () => {
  const dataset = world();
  const env = environment(dataset, 1);
  await env.open();
  await env.step({ type: "tool", call: { id: "c", ...noted } });
  await env.step({ type: "respond", content: "done" });
  const episode = { turns: env.turns, stopReason: "user_stop" as const };
  const { decisive } = diagnose(episode, { dataset, task: env.task });
  assert.equal(decisive?.kind, "write");
  assert.equal(decisive.action.name, "note_order");
});

Deno.test("withTools() is kept when tasks are excluded, and does not affect other datasets", async () => {
  const kept = withoutTasks(world(), [{
    task: world().tasks("test")[1]!.id,
    reason: "",
  }]);
  for (
    const [dataset, answer] of [
      [kept, "noted"],
      [smallDataset([{ actions: [] }]), "Unknown action note_order"],
    ] as const
  ) {
    const env = environment(dataset);
    await env.open();
    const call = { id: "c", ...noted };
    assert.equal((await env.step({ type: "tool", call })).content, answer);
  }
});

Deno.test("withTools() derives the fingerprint from the tools' schemas and code", () => {
  const plain = smallDataset([]);
  const other = customTool({
    ...noteOrder,
    run: () => "nothing",
  });
  const prints = [
    plain,
    withTools(plain, [noteOrder]),
    withTools(plain, [other]),
    withTools(plain, [{ ...noteOrder, description: "Notes." }]),
  ].map(({ fingerprint }) => fingerprint);
  assert.equal(new Set(prints).size, 4);
  assert.equal(
    withTools(plain, [noteOrder]).fingerprint,
    withTools(plain, [noteOrder]).fingerprint,
  );
});

Deno.test("withTools() rejects a name that is taken", () => {
  assert.throws(
    () => withTools(world(), [noteOrder]),
    (error) =>
      error instanceof ConfigError && /"note_order"/.test(error.message),
  );
  const taken = customTool({ ...noteOrder, name: "calculate" });
  assert.throws(
    () => withTools(smallDataset([]), [taken]),
    /the "retail" dataset already has a tool with this name/,
  );
  assert.throws(
    () => withTools(smallDataset([]), [noteOrder, noteOrder]),
    /there is another custom tool with this name/,
  );
});
