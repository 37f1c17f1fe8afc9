import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { ROOT } from "../support/documents.ts";
import { runTask } from "../support/task_process.ts";

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0] & {
  then: JsonSchema;
  else: JsonSchema;
};

async function schemaOf(task: "train" | "evaluate"): Promise<JsonSchema> {
  const { code, stdout, stderr } = await runTask(task, ["--json-schema"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

const recipes = await Array.fromAsync(
  Deno.readDir(join(ROOT, "train", "recipes")),
  async ({ name }) => {
    const path = join(ROOT, "train", "recipes", name);
    return { name, value: parse(await Deno.readTextFile(path)) };
  },
);

Deno.test("train --json-schema accepts every recipe of the repository, and rejects an unknown key and a wrong value", async () => {
  const schema = await schemaOf("train");
  const [slime, own] = [schema.then, schema.else].map((one) =>
    z.fromJSONSchema(one)
  );
  for (const { name, value } of recipes) {
    const of = value.trainer === "slime" ? slime : own;
    const result = of?.safeParse(value);
    assert.ok(result?.success, `${basename(name)}: ${result?.error}`);
  }
  assert.ok(recipes.some(({ value }) => value.trainer === "slime"));
  for (
    const wrong of [{ rl: { stesp: 1 } }, { rl: { steps: -1 } }, { extend: 1 }]
  ) {
    assert.equal(own?.safeParse(wrong).success, false, JSON.stringify(wrong));
  }
  assert.equal(own?.safeParse({ extends: null }).success, true);
  const text = JSON.stringify(schema);
  assert.match(text, /"description":"Supervised steps on expert demonstr/);
  assert.doesNotMatch(text, /"cli"|"mayChange"|"flag"/);
});

Deno.test("evaluate --json-schema prints the schema of an evaluation's recipe", async () => {
  const schema = z.fromJSONSchema(await schemaOf("evaluate"));
  const good = { agent: "expert", trials: 4, data: { source: "tau-bench" } };
  assert.equal(schema.safeParse(good).success, true);
  assert.equal(schema.safeParse({ ...good, agent: "nobody" }).success, false);
});
