import assert from "node:assert/strict";
import { ConfigError } from "../../env/errors.ts";
import {
  benchmarkOverrides,
  refuseUnusedBenchmark,
  tau3SourceOverride,
} from "../../tasks/_shared_flags.ts";
import { runTask } from "../support/task_process.ts";

const DIRS = { tauBench: "data/tau", tau3Bench: "data/tau3" };

Deno.test("benchmarkOverrides() sets the directory of the source's benchmark", () => {
  const valueOf = (source: string) =>
    benchmarkOverrides(DIRS, source, { argv: [] })
      .map(({ path, value }) => [path.join("."), value]);
  assert.deepEqual(valueOf("tau-bench"), [["data.directory", "data/tau"]]);
  assert.deepEqual(valueOf("tau3-bench"), [["data.directory", "data/tau3"]]);
  assert.deepEqual(valueOf("generated"), []);
});

Deno.test("refuseUnusedBenchmark() rejects a directory that was passed for data from elsewhere, but not one from the environment", () => {
  const cases: [argv: string[], source: string, refused: string | null][] = [
    [["--tau-bench", "data/tau"], "generated", "--tau-bench"],
    [["--tau3-bench=data/tau3"], "generated", "--tau3-bench"],
    [["--tau-bench", "data/tau"], "tau3-bench", "--tau-bench"],
    [["--tau-bench", "data/tau"], "tau-bench", null],
    [["--tau3-bench", "data/tau3"], "tau3-bench", null],
    [["--env", "retail"], "generated", null],
  ];
  for (const [argv, source, refused] of cases) {
    const run = () => refuseUnusedBenchmark(DIRS, source, { argv });
    if (refused === null) run();
    else {
      assert.throws(run, (error) =>
        error instanceof ConfigError &&
        error.message.startsWith(`${refused} "data/`) &&
        error.hint ===
          `pass --data ${refused.slice(2)}, or omit ${refused}`);
    }
  }
});

Deno.test("tau3SourceOverride() needs the flag: the environment variable selects no source", () => {
  const argv = ["--tau3-bench", "data/tau3"];
  const [override] = tau3SourceOverride(DIRS, argv);
  assert.equal(override?.value, "tau3-bench");
  assert.deepEqual(tau3SourceOverride(DIRS, []), []);
  const selects = (more: Record<string, string>, argv: string[]) =>
    tau3SourceOverride({ ...DIRS, ...more }, argv).length === 1;
  assert.ok(!selects({ data: "generated" }, argv));
  assert.ok(!selects({}, [...argv, "--set", "data.source=tau-bench"]));
  // A domain of the benchmark selects it too, if its directory is known.
  assert.ok(selects({ env: "tau3.retail" }, []));
  assert.ok(!selects({ env: "retail" }, []));
  assert.deepEqual(tau3SourceOverride({ env: "tau3.retail" }, []), []);
});

Deno.test("benchmarkOverrides() prefers --set to the environment, but not to the flag", () => {
  const set = ["--set", "data.directory=elsewhere"];
  const valuesFor = (argv: string[]) =>
    benchmarkOverrides(DIRS, "tau-bench", { argv }).map(({ value }) => value);
  assert.deepEqual(valuesFor(set), []);
  assert.deepEqual(valuesFor([...set, "--tau-bench", "data/tau"]), [
    "data/tau",
  ]);
});

Deno.test("tasks reject a benchmark's directory that has no effect", async () => {
  const cases: [Parameters<typeof runTask>[0], string[], RegExp][] = [
    ["train", ["--tau-bench", "x", "--print-config"], /generated world/],
    ["chat", ["--agent", "expert", "--tau3-bench", "x"], /generated world/],
    [
      "evaluate",
      ["--agent", "expert", "--tau-bench", "x", "--dry-run"],
      /generated world\nhint: pass --data tau-bench/,
    ],
    [
      "mock",
      ["--out", "never", "--tau3-bench", "x"],
      /generated world\nhint: pass --source tau3-bench/,
    ],
    ["audit", ["--data", "generated", "--tau-bench", "x"], /generated world/],
    [
      "bench",
      ["--workers", "2", "--tau-bench", "x"],
      /effect on bench --workers/,
    ],
  ];
  for (const [task, args, message] of cases) {
    const { code, stderr } = await runTask(task, args);
    assert.match(stderr, /^error: --tau3?-bench "x" has no effect on /, task);
    assert.match(stderr, message);
    assert.equal(code, 2, task);
  }
});
