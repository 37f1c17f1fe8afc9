import assert from "node:assert/strict";
import { ConfigError } from "../../../env/errors.ts";
import {
  configDifferences,
  configKeys,
  formatConfig,
  makeConfig,
  parseSet,
  resolveConfig,
} from "../../../train/config/config.ts";
import { defaultThreads } from "../../../train/config/config_schema.ts";
import {
  isSlimeRecipe,
  resolveSlime,
} from "../../../train/slime/slime_config.ts";

/** Returns the error message for an invalid recipe with the given `--set` overrides. Fails if the recipe is valid. */
function refusal(text: string, sets: readonly string[] = []): string {
  try {
    resolveConfig({ name: "r.yaml", text }, sets.map(parseSet));
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  throw new assert.AssertionError({ message: "the recipe was taken" });
}

Deno.test("resolveConfig() gives flags precedence over the recipe, and the recipe over defaults", () => {
  const recipe = {
    name: "r.yaml",
    text: "rl:\n  steps: 3\n  groupSize: 5\n",
  };
  const config = resolveConfig(recipe, [
    parseSet("rl.steps=7"),
    parseSet("data.generated.itemsMax=2"),
  ]);
  assert.equal(config.rl.steps, 7);
  assert.equal(config.rl.groupSize, 5);
  assert.equal(config.data.generated.itemsMax, 2);
  assert.equal(config.seed, resolveConfig({ name: "", text: "" }).seed);
});

Deno.test("resolveConfig() returns a deeply frozen config", () => {
  const config = resolveConfig({ name: "", text: "" });
  assert.throws(() => Object.assign(config.rl, { steps: 1 }), TypeError);
});

Deno.test("resolveConfig() names the line and the nearest key of an unknown key", () => {
  assert.equal(
    refusal("seed: 1\nrl:\n  stepz: 3\n"),
    'r.yaml:3: unknown key "rl.stepz"; did you mean "rl.steps"?',
  );
  assert.equal(
    refusal("modle: {}\n"),
    'r.yaml:1: unknown key "modle"; did you mean "model"?',
  );
});

Deno.test("resolveConfig() rejects the few-shot agent without a prompt for its examples", () => {
  assert.match(
    refusal("agent: few-shot\nprompt: none\n"),
    /^r\.yaml:2: prompt .*: expected full, because the agent works only/,
  );
  const recipe = { name: "r.yaml", text: "agent: few-shot\nprompt: full\n" };
  assert.equal(resolveConfig(recipe).agent, "few-shot");
});

Deno.test("resolveConfig() names the line, the meaning and the value of a wrong value", () => {
  assert.equal(
    refusal("rl:\n  steps: many\n"),
    'r.yaml:2: rl.steps (Policy-gradient steps): expected number, got "many"',
  );
  assert.match(
    refusal("rl:\n  steps: -1\n"),
    /^r.yaml:2: rl.steps .*>=0, got -1$/,
  );
  assert.match(
    refusal("rl: 4\n"),
    /^r.yaml:1: rl: expected object, got 4$/,
  );
});

Deno.test("resolveConfig() names the --set that is at fault", () => {
  assert.match(
    refusal("", ["rl.stesp=4"]),
    /^--set rl.stesp=4: unknown key .*did you mean "rl.steps"\?$/,
  );
  assert.match(
    refusal("rl: {steps: 3}", ["rl.steps=x"]),
    /^--set rl.steps=x: rl.steps/,
  );
});

Deno.test("resolveConfig() rejects a vocabulary too small for any tokenizer", () => {
  assert.match(
    refusal("", ["model.vocab=320"]),
    /^--set model.vocab=320: model.vocab .* at least 348, which the tokenizer needs/,
  );
});

Deno.test("the number of threads is bounded, also by default on hosts with many cores", () => {
  assert.equal(defaultThreads(2), 2);
  assert.equal(defaultThreads(192), 16);
  assert.match(refusal("", ["threads=65"]), /^--set threads=65: .*64/);
});

Deno.test("resolveConfig() accepts a cache for fewer tokens than the longest possible conversation", () => {
  const { model, rollout } = resolveConfig({ name: "", text: "" }, [
    parseSet("rollout.cacheTokens=8192"),
  ]);
  assert.ok(rollout.cacheTokens < model.contextLength);
});

Deno.test("resolveConfig() reports where a text is not a YAML map", () => {
  assert.match(refusal("rl: [\n"), /^r.yaml:\d+:\d+: the recipe is not YAML/);
  assert.match(refusal("- a\n"), /^r.yaml: a recipe must be a YAML map/);
});

Deno.test("parseSet() requires a key and a value", () => {
  assert.throws(() => parseSet("rl.steps"), ConfigError);
  assert.deepEqual(parseSet("a.b=null"), {
    path: ["a", "b"],
    value: null,
    origin: "--set a.b=null",
  });
});

Deno.test("formatConfig() returns a recipe that resolves to the same config", () => {
  const config = resolveConfig({ name: "", text: "seed: 9\nrl: {steps: 2}" });
  const again = resolveConfig({ name: "", text: formatConfig(config) });
  assert.deepEqual(again, config);
  assert.deepEqual(configDifferences(config, again), []);
});

Deno.test("configDifferences() returns the keys that differ, with both values", () => {
  const one = resolveConfig({ name: "", text: "" });
  const other = resolveConfig({ name: "", text: "rl: {groupSize: 4}" });
  assert.deepEqual(configDifferences(one, other), [
    { key: "rl.groupSize", there: one.rl.groupSize, here: 4 },
  ]);
});

Deno.test("every key of the config has a description", () => {
  for (const { key, description } of configKeys()) {
    assert.notEqual(description, "", key);
  }
});

for await (
  const entry of Deno.readDir(
    new URL("../../../train/recipes", import.meta.url),
  )
) {
  Deno.test(`the recipe ${entry.name} resolves`, async () => {
    const url = new URL(
      `../../../train/recipes/${entry.name}`,
      import.meta.url,
    );
    const recipe = { name: entry.name, text: await Deno.readTextFile(url) };
    if (isSlimeRecipe(recipe)) resolveSlime(recipe);
    else resolveConfig(recipe);
  });
}

Deno.test("makeConfig() equals the config of a recipe with the same settings, and is frozen", () => {
  const config = makeConfig({ seed: 7, rl: { steps: 3 } });
  const text = "{ seed: 7, rl: { steps: 3 } }";
  assert.deepEqual(config, resolveConfig({ name: "test", text }));
  assert.ok(Object.isFrozen(config.rl));
});

Deno.test("makeConfig() suggests the nearest key, and reports what is wrong with a value", () => {
  const refused = (settings: object, message: RegExp) =>
    assert.throws(() => makeConfig(settings), { name: "ConfigError", message });
  refused(
    { rl: { gruopSize: 4 } },
    /^settings: unknown key "rl.gruopSize"; did you mean "rl.groupSize"\?/,
  );
  refused({ sede: 1 }, /unknown key "sede"; did you mean "seed"\?/);
  refused({ rl: { steps: -1 } }, /^settings: rl.steps .*-1/);
});

Deno.test("resolveConfig() reads version 0.1's keys grpo and divideByStd", () => {
  const old = resolveConfig({
    name: "old.yaml",
    text: "grpo: { steps: 3, divideByStd: true }",
  });
  assert.deepEqual(
    old,
    resolveConfig({ name: "", text: "rl: { steps: 3, advantage: grpo }" }),
  );
  const read = (text: string, ...sets: string[]) =>
    resolveConfig({ name: "old.yaml", text }, sets.map(parseSet)).rl;
  assert.equal(read("grpo: { divideByStd: false }").advantage, "dr-grpo");
  assert.equal(read("rl: { advantage: rloo }").advantage, "rloo");
  const { steps, groupSize, advantage } = read(
    "rl: { steps: 3, groupSize: 5, advantage: rloo }",
    "grpo.steps=7",
    "grpo.divideByStd=true",
    "rl.groupSize=4",
  );
  assert.deepEqual([steps, groupSize, advantage], [7, 4, "grpo"]);
  assert.equal(makeConfig({ rl: { steps: 2 } }).rl.steps, 2);
});

Deno.test("resolveConfig() reads old names of estimators, and does not modify its arguments", () => {
  const text = "rl: { advantage: mean }";
  const read = (...sets: string[]) =>
    resolveConfig({ name: "old.yaml", text }, sets.map(parseSet)).rl.advantage;
  assert.equal(read(), "dr-grpo");
  assert.equal(read("rl.advantage=std"), "grpo");
  assert.equal(read("rl.advantage=rloo"), "rloo");
  const settings = { rl: { advantage: "mean" } };
  assert.deepEqual(
    resolveConfig({ name: "", text: "" }, [
      { path: ["rl"], value: settings.rl, origin: "settings" },
    ]),
    makeConfig(),
  );
  assert.equal(settings.rl.advantage, "mean");
});

Deno.test("resolveConfig() reports where an old key is wrong", () => {
  assert.equal(
    refusal("seed: 1\ngrpo:\n  stepz: 3\n"),
    'r.yaml:3: unknown key "rl.stepz"; did you mean "rl.steps"?',
  );
  assert.match(refusal("grpo: 4\n"), /^r.yaml:1: rl: expected object, got 4$/);
  assert.match(
    refusal("", ["grpo.stesp=4"]),
    /^--set grpo.stesp=4: unknown key .*did you mean "rl.steps"\?$/,
  );
  assert.match(
    refusal("seed: 1\ngrpo: { divideByStd: maybe }\n"),
    /^r.yaml:2: rl.advantage/,
  );
});

Deno.test("resolveConfig() names the --set or the recipe that has an unknown section", () => {
  const recipe = { name: "my.yaml", text: "rl:\n  step: 3\n" };
  assert.throws(
    () => resolveConfig({ ...recipe, text: "" }, [parseSet("rll.steps=3")]),
    /--set rll\.steps=3: unknown key "rll"/,
  );
  assert.throws(
    () => resolveConfig(recipe, [parseSet("rl.step.x=3")]),
    /my\.yaml:2: unknown key "rl\.step"/,
  );
});

Deno.test("resolveConfig() rejects a recipe with a section under both its old and its new name", () => {
  assert.throws(
    () =>
      resolveConfig({
        name: "my.yaml",
        text: "grpo: { steps: 3 }\nrl: { steps: 4 }",
      }),
    { name: "ConfigError", hint: /move the keys of "grpo" to "rl"/ },
  );
});
