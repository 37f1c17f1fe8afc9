import assert from "node:assert/strict";
import { join } from "node:path";
import { slimeRows } from "../../train/slime/plan/tau_example_rows.ts";
import { parsePythonJson } from "../../env/python/python_json.ts";
import type { JsonObject } from "../../env/python/python_json.ts";
import { loadTauBench } from "../../env/benchmarks/tau/tau_bench.ts";
import { audit } from "../../env/audit/audit.ts";
import { makeConfig, resolveConfig } from "../../train/config/config.ts";
import type { Task } from "../../env/types.ts";
import { openDataset } from "../../train/config/open_dataset.ts";
import { writePolicyRun } from "../support/policy_run.ts";
import { readRecipe } from "../../tasks/_recipes.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../support/tau_bench.ts";
import { inTempDir } from "../support/temp_dir.ts";
import { runTask } from "../support/task_process.ts";

Deno.test({
  name: "mock writes the files of slime's example byte for byte, every time",
  ignore: NO_TAU_BENCH,
  async fn() {
    const out = await Deno.makeTempDir();
    const args = [
      "--source",
      "tau-bench",
      "--out",
      out,
      "--tau-bench",
      TAU_BENCH,
    ];
    const first = await runTask("mock", [...args, "--json"]);
    assert.equal(first.code, 0, first.stderr);
    // Checksums of the output of CPython 3.11's json.dumps and pydantic's model_dump for the same tasks.
    assert.deepEqual(JSON.parse(first.stdout).files, [
      {
        name: "retail_train_tasks.jsonl",
        rows: 500,
        sha256:
          "45f1cc069e30f9458dd643ca85afc40b2d367136bda0179a6ac1a72e61b706b7",
      },
      {
        name: "retail_test_tasks.jsonl",
        rows: 115,
        sha256:
          "6b209dcea149fe3decaaf2710b27e3cdbc2f9da84c4c353a95391a4e4929586f",
      },
      {
        name: "retail_dev_tasks.jsonl",
        rows: 20,
        sha256:
          "0ed98f650c274ec2c4664f8231a6e2c1778af4ead23a7d589faeed947b4ad555",
      },
      {
        name: "airline_test_tasks.jsonl",
        rows: 50,
        sha256:
          "3d3da2b9eefeabe8b5d9e5749b0289571160a4ee99ef30af320d3867989d43e0",
      },
    ]);
    assert.equal((await runTask("mock", args)).code, 0);
    const path = join(out, "retail_dev_tasks.jsonl");
    await Deno.writeTextFile(path, "mine");
    const refused = await runTask("mock", args);
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /retail_dev_tasks.jsonl" already exists with different contents/,
    );
    assert.equal(await Deno.readTextFile(path), "mine");
    assert.equal((await runTask("mock", [...args, "--force"])).code, 0);
    await Deno.remove(out, { recursive: true });
  },
});

Deno.test({
  name: "mock --rows-format split names the task in every row",
  ignore: NO_TAU_BENCH,
  async fn() {
    const out = await Deno.makeTempDir();
    const { code } = await runTask("mock", [
      ...["--source", "tau-bench", "--out", out, "--tau-bench", TAU_BENCH],
      ...["--rows-format", "split"],
    ]);
    assert.equal(code, 0);
    const text = await Deno.readTextFile(join(out, "airline_test_tasks.jsonl"));
    const rows = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(rows.length, 50);
    for (const [i, { index, metadata }] of rows.entries()) {
      assert.deepEqual([index, metadata.env, metadata.split], [
        i,
        "airline",
        "test",
      ]);
    }
    await Deno.remove(out, { recursive: true });
  },
});

Deno.test("slimeRows() keeps Python's numbers and spelling", () => {
  const args = parsePythonJson('{"a": 1.0, "b": 12345678901234567890}');
  const text = slimeRows([{
    id: "x",
    domain: "retail",
    split: "dev",
    index: 3,
    userId: "u",
    instruction: "Grüße \u{1F600}",
    actions: [{ name: "pay", arguments: args as JsonObject }],
    outputs: ["7"],
  }], "slime");
  assert.equal(
    text,
    '{"index": 3, "metadata": {"user_id": "u", "actions": [{"name": "pay", "kwargs": {"a": 1.0, "b": 12345678901234567890}}], ' +
      '"instruction": "Gr\\u00fc\\u00dfe \\ud83d\\ude00", "outputs": ["7"]}}\n',
  );
});

Deno.test("mock reports what is missing or wrong", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--source", "tau-bench"], /The flag --out is required/],
    [["--source", "slime", "--out", "x"], /--source.*tau-bench/],
    [
      ["--env", "tau3.retail", "--out", "x"],
      /"tau3\.retail" has no generator\nhint: pass --env with one of retail/,
    ],
    [
      ["--source", "tau-bench", "--out", "x", "--tau-bench", "no/such"],
      /Cannot find tasks in "no\/such"\nhint: /,
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runTask("mock", args);
    assert.notEqual(code, 0);
    assert.match(stderr, message);
  }
});

Deno.test("mock --env retail writes a certified world, always the same bytes, that τ-bench's readers accept", () =>
  inTempDir(async (dir) => {
    const args = ["--count", "50", "--seed", "3", "--json"];
    const worlds = [join(dir, "a"), join(dir, "b")];
    const results = [];
    for (const out of worlds) {
      const { code, stdout, stderr } = await runTask("mock", [
        ...args,
        ...["--out", out],
      ]);
      assert.equal(code, 0, stderr);
      results.push(JSON.parse(stdout));
    }
    const [first, second] = results;
    assert.equal(first.certified, 50);
    assert.equal(first.fingerprint, second.fingerprint);
    const manifests = await Promise.all(
      worlds.map((out) => Deno.readTextFile(join(out, "manifest.json"))),
    );
    const files = manifests.map((text) => JSON.parse(text).files);
    // Only the recipe contains its own path.
    for (const each of files) delete each["recipe.yaml"];
    assert.deepEqual(files[0], files[1]);

    const read = await loadTauBench(worlds[0]!, "retail");
    assert.deepEqual(
      read.splits.map((split) => read.tasks(split).length),
      [40, 5, 5],
    );
    assert.deepEqual(audit(read).exclusions, []);
    const lines = (await Deno.readTextFile(
      join(worlds[0]!, "retail", "certificates.jsonl"),
    )).trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(lines.length, 50);
    assert.ok(lines.every(({ certificate }) => certificate.version === 1));

    const recipe = await readRecipe(join(worlds[0]!, "recipe.yaml"));
    assert.deepEqual(
      resolveConfig(recipe).coldStart,
      resolveConfig(await readRecipe("retail-all")).coldStart,
    );
    const again = await openDataset(resolveConfig(recipe).data);
    assert.equal(again.fingerprint, first.fingerprint);
  }));

Deno.test("mock prints which policy clauses the tasks test, and accepts the world's settings", () =>
  inTempDir(async (dir) => {
    const { code, stdout, stderr } = await runTask("mock", [
      ...["--count", "60", "--out", join(dir, "w"), "--dry-run"],
      ...["--set", "refusedShare=1", "--set", "intents.question=0"],
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /cancel \(refused\)/);
    assert.match(stdout, /order\.pending +cancel_pending_order +\d+ +[1-9]/);
    assert.match(stdout, /60 tasks certified in .* not written/);
    await assert.rejects(Deno.stat(join(dir, "w")), Deno.errors.NotFound);
    const wrong = await runTask("mock", [
      ...["--out", join(dir, "w"), "--set", "refusedShare=2"],
    ]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /refusedShare/);
    const unknown = await runTask("mock", [
      ...["--env", "airline", "--out", join(dir, "w")],
      ...["--set", "voices.chaty=1"],
    ]);
    assert.equal(unknown.code, 2);
    assert.match(
      unknown.stderr,
      /unknown key "[\w.]+"; did you mean "voices\.chatty"\?/,
    );
    const sky = await runTask("mock", ["--out", dir, "--between", "0.9,0.1"]);
    assert.match(sky.stderr, /not a range of pass rates/);
  }));

Deno.test("mock --help lists the settings of the selected world", async () => {
  const airline = await runTask("mock", ["--env", "airline", "--help"]);
  assert.match(airline.stdout, /oneStopShare=0\.05 +Share of bookings/);
  assert.doesNotMatch(airline.stdout, /itemsMax|trainTasks/);
  const telecom = await runTask("mock", ["--env", "telecom", "--help"]);
  assert.match(telecom.stdout, /Options of the tau3\.telecom world/);
  assert.match(telecom.stdout, /maxFaults=4 /);
  const retail = await runTask("mock", ["--help"]);
  assert.match(retail.stdout, /itemsMax=3 +Maximum number of items/);
});

Deno.test("mock --env telecom writes composed tasks in the benchmark's layout, deterministically and by its settings", () =>
  inTempDir(async (dir) => {
    const out = join(dir, "phones");
    const mock = (...args: string[]) =>
      runTask("mock", [
        ...["--env", "tau3.telecom", "--count", "12", "--out", out],
        ...args,
      ]);
    const first = await mock("--json", "--set", "minFaults=2");
    assert.equal(first.code, 0, first.stderr);
    const { tasks, files, excluded } = JSON.parse(first.stdout);
    assert.deepEqual(excluded, []);
    const certificates = await Deno.readTextFile(
      join(out, "certificates.jsonl"),
    );
    const shown = certificates.trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    assert.equal(shown.length, 12);
    assert.ok(
      shown.every(({ faults, expert, turns }) =>
        faults.length === 0 && expert && turns > 0
      ),
    );
    assert.deepEqual(Object.keys(tasks).sort(), ["dev", "test", "train"]);
    const text = await Deno.readTextFile(
      join(out, "data/tau2/domains/telecom/tasks.json"),
    );
    const ids = (JSON.parse(text) as { id: string }[]).map(({ id }) => id);
    assert.equal(ids.length, 12);
    assert.ok(ids.every((id) => id.includes("|")), "two faults at least");
    assert.match((await mock()).stderr, /is not empty/);
    const again = await mock("--json", "--set", "minFaults=2", "--dry-run");
    assert.deepEqual(JSON.parse(again.stdout).files, files);
    const wrong = await mock("--force", "--set", "minFault=2");
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.stderr,
      /Unknown setting "minFault"; did you mean "minFaults"\?/,
    );
    const value = await mock("--force", "--set", "actors=nobody");
    assert.match(value.stderr, /--set actors: .*"any"\|"user"/);
    const idle = await mock("--force", "--between", "0.2,0.8");
    assert.match(
      idle.stderr,
      /--between cannot be used .*\nhint: omit --between,/,
    );
    const help = await mock("--help");
    assert.match(help.stdout, /maxFaults=4 +Maximum number of faults per task/);
  }));

Deno.test("mock --between keeps tasks with a pass rate in the range, and fails if there are none", () =>
  inTempDir(async (dir) => {
    await writePolicyRun(join(dir, "p"));
    const out = join(dir, "w");
    const mock = (range: string) =>
      runTask("mock", [
        ...["--count", "12", "--out", out, "--policy", "p", "--runs", dir],
        ...["--between", range, "--trials", "2", "--json"],
      ]);
    const nothing = await mock("0.2,0.8");
    assert.equal(nothing.code, 2, "an untrained policy solves nothing");
    assert.match(
      nothing.stderr,
      /--between 0\.2,0\.8 keeps no task: .*\nhint: widen the range/,
    );
    await assert.rejects(Deno.stat(out), Deno.errors.NotFound);
    const plan = await runTask("mock", [
      ...["--count", "1000000000", "--out", out, "--policy", "p"],
      ...["--between", "0,0.8", "--trials", "1000", "--runs", dir, "--dry-run"],
    ]);
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(
      plan.stdout,
      /A dry run draws 4 of 1,000,000,000 tasks; all of them would take about \d/,
    );
    const all = await mock("0,0.8");
    assert.equal(all.code, 0, all.stderr);
    assert.deepEqual(JSON.parse(all.stdout).excluded, []);
    const taken = await runTask("mock", ["--count", "12", "--out", out]);
    assert.equal(taken.code, 2);
    assert.match(taken.stderr, /not empty/);
  }));

Deno.test("mock --env airline writes a world that its recipe opens", () =>
  inTempDir(async (dir) => {
    const out = join(dir, "w");
    const { code, stdout, stderr } = await runTask("mock", [
      ...["--env", "airline", "--count", "40", "--seed", "2", "--out", out],
      ...["--set", "passengersMax=3", "--json"],
    ]);
    assert.equal(code, 0, stderr);
    const { fingerprint } = JSON.parse(stdout);
    const config = resolveConfig(await readRecipe(join(out, "recipe.yaml")));
    assert.equal((await openDataset(config.data)).fingerprint, fingerprint);
    const read = await loadTauBench(out, "airline");
    assert.equal(read.tasks("train").length, 32);
    assert.deepEqual(audit(read).exclusions, []);
  }));

Deno.test({
  name:
    "mock --rows writes train tasks over τ-bench's rows next to its dev and test tasks; its recipe and a config draw the same",
  ignore: NO_TAU_BENCH,
  fn: () =>
    inTempDir(async (dir) => {
      const out = join(dir, "w");
      const { code, stdout, stderr } = await runTask("mock", [
        ...["--rows", TAU_BENCH, "--count", "40", "--seed", "4", "--out", out],
        ...["--set", "questionShare=0", "--json"],
      ]);
      assert.equal(code, 0, stderr);
      const { certified, near_duplicates } = JSON.parse(stdout);
      assert.deepEqual([certified, near_duplicates], [40, 0]);

      const real = await loadTauBench(TAU_BENCH, "retail");
      const recipe = await readRecipe(join(out, "recipe.yaml"));
      const written = await openDataset(resolveConfig(recipe).data);
      const drawn = await openDataset(
        makeConfig({
          data: {
            source: "tau-bench",
            directory: TAU_BENCH,
            rows: { trainTasks: 40, seed: 4, questionShare: 0 },
          },
        }).data,
      );
      for (const dataset of [written, drawn]) {
        assert.deepEqual(dataset.splits, real.splits);
        for (const split of ["dev", "test"] as const) {
          assert.deepEqual(dataset.tasks(split), real.tasks(split));
        }
      }
      const playedOf = ({ intent: _, ...task }: Task) => task;
      assert.deepEqual(
        written.tasks("train"),
        drawn.tasks("train").map(playedOf),
      );
      assert.equal(
        await Deno.readTextFile(join(out, "retail_train_tasks.jsonl")),
        slimeRows(drawn.tasks("train"), "split"),
      );
    }),
});

Deno.test({
  name: "mock --hold-out excludes the users of a file of tasks",
  ignore: NO_TAU_BENCH,
  fn: () =>
    inTempDir(async (dir) => {
      const out = join(dir, "w");
      const file = join(TAU_BENCH, "retail", "tasks_train.json");
      const { code, stderr } = await runTask("mock", [
        ...["--rows", TAU_BENCH, "--count", "40", "--out", out],
        ...["--hold-out", "test", "--hold-out", file],
      ]);
      assert.equal(code, 0, stderr);
      const read = await loadTauBench(out, "retail");
      const { tasks } = await loadTauBench(TAU_BENCH, "retail");
      const held = [...tasks("train"), ...tasks("test")];
      const users = new Set(held.map(({ userId }) => userId));
      for (const { userId } of read.tasks("train")) {
        assert.ok(!users.has(userId));
      }
    }),
});

Deno.test("mock --rows reports what is missing or wrong", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--rows", "split"], /--rows-format split/],
    [
      ["--rows", "no/such"],
      /Cannot find "no\/such\/retail\/.*\nhint: pass a τ-bench checkout/,
    ],
    [["--rows", "x", "--source", "tau-bench"], /pass only one of them/],
    [["--hold-out", "test"], /--rows DIR/],
    [
      ["--rows", "x", "--set", "conditionShar=1"],
      /did you mean "conditionShare"\?/,
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runTask("mock", ["--out", "x", ...args]);
    assert.notEqual(code, 0);
    assert.match(stderr, message);
  }
  await assert.rejects(
    openDataset(makeConfig({ data: { rows: { trainTasks: 5 } } }).data),
    /data\.source is generated/,
  );
});
