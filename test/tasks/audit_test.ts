import assert from "node:assert/strict";
import { join } from "node:path";
import { NO_TAU_BENCH, TAU_BENCH } from "../support/tau_bench.ts";
import { inTempDir } from "../support/temp_dir.ts";
import { runTask } from "../support/task_process.ts";

Deno.test({
  name: "audit --exclusions writes a file that evaluate --exclude accepts",
  ignore: NO_TAU_BENCH,
  fn: () =>
    inTempDir(async (dir) => {
      const file = join(dir, "out.yaml");
      const report = join(dir, "audit.json");
      const world = ["--env", "airline", "--tau-bench", TAU_BENCH];
      const { code, stdout, stderr } = await runTask("audit", [
        ...world,
        ...["--exclusions", file, "--report", report, "--show", "3"],
      ]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /tasks solved by the do-nothing baseline +19/);
      assert.match(stdout, /30 of 50 tasks \(60\.0%\) are flagged/);
      const { findings } = JSON.parse(await Deno.readTextFile(report));
      assert.ok(findings.length > 30);
      const evaluated = await runTask("evaluate", [
        ...["--data", "tau-bench", ...world, "--agent", "expert"],
        ...["--exclude", file, "--runs", dir, "--json"],
      ]);
      assert.equal(evaluated.code, 0, evaluated.stderr);
      const { tasks, meanReward, baseline } = JSON.parse(evaluated.stdout);
      assert.deepEqual([tasks, meanReward, baseline], [20, 1, 0]);
    }),
});

Deno.test({
  name: "audit rejects a split that does not exist",
  ignore: NO_TAU_BENCH,
  fn: async () => {
    const { code, stderr } = await runTask("audit", [
      ...["--split", "dev", "--env", "airline", "--tau-bench", TAU_BENCH],
    ]);
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      /There is no split "dev" in tau-bench\nhint: pass --split with one of test/,
    );
  },
});

Deno.test("audit --data DIR reads what mock wrote, for every kind of world", () =>
  inTempDir(async (dir) => {
    const out = join(dir, "world");
    const made = await runTask("mock", [
      ...["--env", "airline", "--count", "40", "--seed", "3", "--out", out],
    ]);
    assert.equal(made.code, 0, made.stderr);
    const { code, stdout, stderr } = await runTask("audit", ["--data", out]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /train and test +0 +0/);
    assert.match(stdout, /reservations/);
    assert.match(stdout, /0 of 40 tasks \(0\.0%\) are flagged/);
    const wrong = await runTask("audit", ["--data", join(dir, "elsewhere")]);
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.stderr,
      /--data must be generated, tau-bench, tau3-bench or a directory/,
    );
  }));

Deno.test("audit --tau3-bench DIR also checks the benchmark's own rules, by default on the base split", () =>
  inTempDir(async (dir) => {
    const out = join(dir, "world");
    const made = await runTask("mock", [
      ...["--env", "telecom", "--count", "20", "--seed", "3", "--out", out],
    ]);
    assert.equal(made.code, 0, made.stderr);
    const file = join(dir, "out.yaml");
    const world = ["--tau3-bench", out, "--env", "telecom"];
    const { code, stdout, stderr } = await runTask("audit", [
      ...[...world, "--exclusions", file, "--show", "0"],
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^tasks with +base\n/);
    assert.match(stdout, /expected states that cannot be reached +[1-9]/);
    assert.match(stdout, /gold actions that do not earn the reward +0/);
    assert.match(stdout, /0 of 20 tasks \(0\.0%\) are flagged/);
    assert.match(stdout + stderr, /evaluate --tau3-bench .* --exclude /);
    const named = await runTask("audit", ["--data", out]);
    assert.equal(named.code, 2);
    assert.match(named.stderr, /pass τ³-bench's directory as --tau3-bench DIR/);
  }));
