import assert from "node:assert/strict";
import { join } from "node:path";
import { NO_TAU3_BENCH, TAU3_BENCH } from "../support/tau3_bench.ts";
import { runTask } from "../support/task_process.ts";
import { inTempDir } from "../support/temp_dir.ts";

Deno.test({
  name:
    "diagnose --tau3-bench of a telecom run whose data has moved lists unmet criteria and missing calls",
  ignore: NO_TAU3_BENCH,
  fn: () =>
    inTempDir(async (dir) => {
      const moved = join(dir, "data");
      await Deno.symlink(TAU3_BENCH, moved);
      const run = await runTask("evaluate", [
        ...["--runs", dir, "--tau3-bench", moved, "--env", "telecom"],
        ...["--split", "small", "--task-ids", "0", "--agent", "expert"],
        ...["--set", "rollout.maxTurns=4", "--name", "e"],
      ]);
      assert.equal(run.code, 0, run.stderr);
      await Deno.remove(moved);
      const lost = await runTask("diagnose", ["e", "--runs", dir]);
      assert.notEqual(lost.code, 0);
      const { code, stdout, stderr } = await runTask("diagnose", [
        ...["e", "--runs", dir, "--tau3-bench", TAU3_BENCH],
      ]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /not met: assert_\w+\(.*\) is true/);
      assert.match(stdout, /never called by the user: toggle_roaming/);
    }),
});
