/**
 * Tests the output, the exit codes and the permissions of `deno task train` with slime recipes, each run in a separate
 * process.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { NO_TAU_BENCH, TAU_BENCH } from "../support/tau_bench.ts";
import { runTask } from "../support/task_process.ts";
import { inTempDir } from "../support/temp_dir.ts";

Deno.test("train --dry-run plans a slime recipe without network, key, data or hosts, and writes nothing", () =>
  inTempDir(async (dir) => {
    for (const recipe of ["qwen3-4b", "qwen3-8b-2nodes", "qwen3-0.6b"]) {
      const { code, stdout, stderr } = await runTask("train", [
        "--recipe",
        recipe,
        "--dry-run",
        "--runs",
        dir,
        "--name",
        "p1",
      ]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^Plan of p1: Qwen3-/);
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(dir)), []);
  }));

Deno.test({
  name:
    "train --dry-run --json prints the whole plan, including rows of τ-bench (needs τ-bench)",
  ignore: NO_TAU_BENCH,
  async fn() {
    const { code, stdout } = await runTask("train", [
      "--recipe",
      "qwen3-4b",
      "--tau-bench",
      TAU_BENCH,
      "--dry-run",
      "--json",
      "--name",
      "p1",
    ]);
    assert.equal(code, 0);
    const plan = JSON.parse(stdout);
    assert.equal(plan.files[0].text.split("\n").length, 501);
    assert.equal(plan.derived.epochs, 32);
    assert.equal(plan.config.data.directory, TAU_BENCH);
    assert.equal(plan.job.submissionId, "p1");
  },
});

Deno.test("train --dry-run reads the addresses of hosts from hosts.yaml", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "hosts.yaml");
    await Deno.writeTextFile(
      path,
      "gpu1: { address: 10.1.0.1 }\ngpu2: { address: 10.1.0.2 }\n",
    );
    const args = ["--recipe", "qwen3-8b-2nodes", "--dry-run", "--hosts", path];
    const { stdout } = await runTask("train", args);
    assert.match(stdout, /gpu2: ray start --address 10\.1\.0\.1:6379/);
    await Deno.writeTextFile(path, "gpu1: {}\n");
    const { code, stderr } = await runTask("train", args);
    assert.equal(code, 2);
    assert.match(stderr, /gpu2/);
  }));

Deno.test("train exits with 2 and a hint on wrong usage with slime recipes", async () => {
  const cases: [string[], RegExp][] = [
    [
      ["--recipe", "qwen3-4b", "--set", "rl.steps=3"],
      /unknown key "rl"/,
    ],
    [
      ["--recipe", "qwen3-4b", "--set", "flags.num_rollout=3"],
      /; write "num-rollout"/,
    ],
    [["--rates-from", "e1"], /--rates-from needs a slime recipe/],
    [["--hosts", "h.yaml"], /--hosts needs a slime recipe/],
    [
      ["--recipe", "qwen3-4b", "--rates-from", "nope"],
      /There is no run at "runs\/nope"/,
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runTask("train", [...args, "--dry-run"]);
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, message);
  }
});

Deno.test("train --recipe qwen3-4b --help lists the recipe's keys with their flags", async () => {
  const { code, stdout } = await runTask("train", [
    "--recipe",
    "qwen3-4b",
    "--help",
  ]);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /rollout\.steps=500 +Number of rollouts.*\(--num-rollout\)/,
  );
  assert.doesNotMatch(stdout, /^ +rl\.groupSize=/m);
});
