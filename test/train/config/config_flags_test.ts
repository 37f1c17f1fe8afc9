import assert from "node:assert/strict";
import { z } from "zod";
import { resolveConfig } from "../../../train/config/config.ts";
import {
  flagOverrides,
  flagsOf,
  mayChange,
} from "../../../train/config/config_flags.ts";
import { configSchema } from "../../../train/config/config_schema.ts";
import { evaluationSchema } from "../../../train/evaluation/evaluation_config.ts";

const endpoint = z.strictObject({
  model: z.string().min(1).nullable().default(null).meta({
    description: "Name of the model, in full",
    cli: { value: "NAME" },
  }),
  retries: z.int().default(6).describe("Attempts"),
});

const schema = z.strictObject({
  seed: z.int().default(1).meta({ description: "The seed", cli: {} }),
  data: z.strictObject({
    source: z.enum(["here", "there"]).default("here")
      .meta({ description: "From where", cli: { flag: "data" } }),
    place: z.string().nullable().default(null).meta({ mayChange: true }),
  }).prefault({}),
  user: z.strictObject({
    endpoint: endpoint.prefault({}).meta({
      cli: { prefix: "user", of: "the user's model" },
    }),
  }).prefault({}),
  budget: z.strictObject({ most: z.int().default(1) })
    .meta({ mayChange: true }).prefault({}),
});

Deno.test("flagsOf() has a flag for each key with `cli`, with the key's description and check, without default", () => {
  const flags = flagsOf(schema);
  assert.deepEqual(
    Object.entries(flags).map(([name, flag]) => [name, flag.meta()]),
    [
      ["seed", { description: "The seed" }],
      ["data", { description: "From where" }],
      ["userModel", {
        description: "Name of the user's model, in full",
        value: "NAME",
      }],
    ],
  );
  const parsed = z.object(flags);
  assert.deepEqual(parsed.parse({}), {});
  assert.equal(parsed.safeParse({ data: "nowhere" }).success, false);
  assert.equal(parsed.safeParse({ userModel: "" }).success, false);
});

Deno.test("flagOverrides() sets the key of each given flag, and names the flag in errors", () => {
  const given = { seed: 2, userModel: "m", retries: 3 };
  assert.deepEqual(flagOverrides(schema, given), [
    { path: ["seed"], value: 2, origin: "--seed 2" },
    {
      path: ["user", "endpoint", "model"],
      value: "m",
      origin: "--user-model m",
    },
  ]);
});

Deno.test("mayChange() reads the metadata of a key or its section", () => {
  const keys = ["seed", "data.source", "data.place", "budget.most"];
  assert.deepEqual(
    keys.filter((key) => mayChange(schema, key)),
    ["data.place", "budget.most"],
  );
  const free = [
    "budget.maxCost",
    "budget.maxTokens",
    "prices",
    "prices.m.input",
  ];
  for (const key of [...free, "data.directory", "rollout.concurrency"]) {
    assert.ok(mayChange(evaluationSchema, key), key);
  }
  for (const key of ["seed", "rl.steps", "rollout.concurrency"]) {
    assert.ok(!mayChange(configSchema, key), key);
  }
});

Deno.test("the flags of both configs have known, unique names, and set existing keys", () => {
  const names = (schema: z.ZodObject) => Object.keys(flagsOf(schema));
  for (const each of [configSchema, evaluationSchema]) {
    assert.equal(new Set(names(each)).size, names(each).length);
    assert.ok(names(each).includes("userBaseUrl"));
  }
  const config = resolveConfig(
    { name: "", text: "" },
    flagOverrides(configSchema, {
      user: "llm",
      maxTokens: 9,
      data: "generated",
    }),
  );
  assert.deepEqual([config.user.strategy, config.budget.maxTokens], ["llm", 9]);
});
