import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import {
  loadTau3,
  loadTau3Tasks,
  tau3BenchDir,
} from "../../../../env/benchmarks/tau3/load_bundle.ts";
import { tau3Bench } from "../../../../env/benchmarks/tau3/tau3_bench.ts";
import { ConfigError, DataError } from "../../../../env/errors.ts";
import { Float } from "../../../../env/python/python_value.ts";
import { NO_TAU3_BENCH, TAU3_BENCH } from "../../../support/tau3_bench.ts";
import {
  TOY_TASK,
  toyBundle,
  writeToyBundle,
} from "../../../support/tau3_toy.ts";

Deno.test({
  name: "loadTau3Tasks() reads every split of every domain, in file order",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const counts: Record<string, Record<string, number>> = {};
    for (const name of ["airline", "retail", "telecom", "telecom-workflow"]) {
      const data = await loadTau3Tasks(TAU3_BENCH, name);
      counts[name] = Object.fromEntries(
        data.splits.map((split) => [split, data.tasksOf(split).length]),
      );
    }
    const telecom = { small: 20, train: 74, test: 40, full: 2285, base: 114 };
    assert.deepEqual(counts, {
      airline: { train: 30, test: 20, base: 50 },
      retail: { train: 74, test: 40, base: 114 },
      telecom,
      "telecom-workflow": telecom,
    });
    const { tasks, tasksOf } = await loadTau3Tasks(TAU3_BENCH, "retail");
    assert.deepEqual(
      tasksOf("base").map(({ id }) => id),
      tasks.map(({ id }) => id),
    );
    assert.throws(() => tasksOf("dev"), ConfigError);
  },
});

Deno.test("loadTau3() keeps the spelling of numbers, and reads TOML and compressed files", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await writeToyBundle(dir, {
      files: { "tasks.json": null, "split_tasks.json": null },
    });
    const task = JSON.stringify([TOY_TASK]).replace(
      '"item":"cup"',
      '"item":2.0',
    );
    await Deno.writeFile(
      `${dir}/data/tau2/domains/toy/tasks.json.gz`,
      gzipSync(task),
    );
    for (const at of [dir, `${dir}/data`, `${dir}/data/tau2`]) {
      const bundle = await loadTau3(at, "toy");
      const [action] = bundle.task("cup").criteria?.actions ?? [];
      assert.deepEqual(action?.arguments.get("item"), new Float(2));
      assert.equal(action?.requestor, "assistant");
      assert.deepEqual(bundle.splits, ["base"]);
      assert.equal(
        bundle.databases.user?.get("lamp", "one")?.get("lit"),
        false,
      );
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("loadTau3() names the file and the place of an error", async () => {
  const wrong: [Record<string, string | null>, RegExp][] = [
    [{ "tasks.json": "[1" }, /tasks\.json".*line 1, column 3/],
    [{ "tasks.json": null }, /Cannot find ".*tasks\.json"/],
    [{ "db.json": null }, /Cannot find ".*db\.json"/],
    [{ "policy.md": null }, /Cannot find ".*main_policy\.md"/],
    [{ "user_db.toml": "lit = " }, /user_db\.toml".*line 1/],
    [{ "split_tasks.json": '{"base": [1]}' }, /split "base", field "0"/],
    [
      { "tasks.json": JSON.stringify([TOY_TASK, { ...TOY_TASK, id: 3 }]) },
      /task 1, field "id": expected string/,
    ],
    [
      { "tasks.json": JSON.stringify([TOY_TASK, TOY_TASK]) },
      /two tasks have the id "cup"/,
    ],
    [{
      "tasks.json": JSON.stringify([{
        ...TOY_TASK,
        initial_state: { initialization_data: { agent_data: {} } },
      }]),
    }, /initial data is not supported/],
    [{
      "tasks.json": JSON.stringify([{
        ...TOY_TASK,
        evaluation_criteria: { actions: [{ action_id: "a", name: "look" }] },
      }]),
    }, /field "evaluation_criteria\.actions\.0\.arguments"/],
  ];
  for (const [files, message] of wrong) {
    await assert.rejects(toyBundle({ files }), (error) => {
      assert(error instanceof DataError);
      assert.match(error.message, message);
      assert(error.path !== undefined);
      return true;
    });
  }
  await assert.rejects(loadTau3("nowhere", "toy"), DataError);
  await assert.rejects(loadTau3("nowhere", "no-such"), ConfigError);
});

Deno.test("tau3BenchDir() returns the flag's directory, else fails with a hint", () => {
  assert.equal(tau3BenchDir("x"), "x");
  assert.throws(
    () => tau3BenchDir(""),
    (error) =>
      error instanceof ConfigError && /TAU3_BENCH_DIR/.test(error.hint ?? ""),
  );
});

Deno.test("tau3Bench() hints at the import if a checkout lacks a file", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await writeToyBundle(dir);
    await Deno.remove(`${dir}/tools`, { recursive: true });
    await assert.rejects(
      tau3Bench(dir, { domain: "toy" }),
      (error) =>
        error instanceof DataError && /toy_agent\.json/.test(error.message) &&
        /deno task import --from/.test(error.hint ?? ""),
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
