/** Tests how paths on the command line are resolved if a task is called from a directory other than taulab's. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { inTempDir } from "../support/temp_dir.ts";
import { runTask } from "../support/task_process.ts";

const SMALL = ["train", "dev", "test"]
  .flatMap((split) => ["--set", `data.generated.${split}Tasks=6`]);

Deno.test("paths of recipes, runs and results are relative to the caller's directory", () =>
  inTempDir(async (dir) => {
    const env = { INIT_CWD: dir };
    await Deno.writeTextFile(
      join(dir, "my.yaml"),
      "data: { generated: { trainTasks: 6, devTasks: 6, testTasks: 6 } }\nrl: { steps: 7 }\n",
    );
    const printed = await runTask("train", [
      ...["--recipe", "my.yaml", "--print-config"],
    ], { env });
    assert.equal(printed.code, 0, printed.stderr);
    assert.match(printed.stdout, /^rl:\n +steps: 7$/m);
    const help = await runTask("train", ["--recipe=my.yaml", "--help"], {
      env,
    });
    assert.match(help.stdout, /rl\.steps=7/);
    const evaluated = await runTask("evaluate", [
      ...["--agent", "expert", "--task-ids", "0", ...SMALL],
      ...["--runs", "mine", "--name", "e"],
    ], { env });
    assert.equal(evaluated.code, 0, evaluated.stderr);
    const run = join(dir, "mine", "e");
    assert.ok(evaluated.stdout.includes(`next: deno task view ${run}\n`));
    for (const named of ["mine/e", run]) {
      const { code, stderr } = await runTask("diagnose", [named], { env });
      assert.equal(code, 0, stderr);
    }
    const world = await runTask("mock", [
      ...["--count", "10", "--out", "world", "--json"],
    ], { env });
    assert.equal(JSON.parse(world.stdout).out, join(dir, "world"));
    await Deno.stat(join(dir, "world", "recipe.yaml"));
  }));

Deno.test("names are not paths, and default paths are relative to taulab's directory", async () => {
  const env = { INIT_CWD: Deno.makeTempDirSync() };
  const { stdout } = await runTask("train", [
    ...["--recipe", "tau-retail", "--print-config"],
  ], { env });
  assert.match(stdout, /^ +source: tau-bench$/m);
  const { stderr } = await runTask("diagnose", ["no-such-run"], { env });
  assert.ok(stderr.includes(join(Deno.cwd(), "runs", "no-such-run")), stderr);
  await Deno.remove(env.INIT_CWD);
});
