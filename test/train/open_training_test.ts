import assert from "node:assert/strict";
import { join } from "node:path";
import { makeConfig } from "../../train/config/config.ts";
import { openTraining } from "../../train/open_training.ts";
import { inTempDir } from "../support/temp_dir.ts";

Deno.test("openTraining() refuses a name that is taken before it prepares the run, unless the name may be numbered", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    await Deno.mkdir(path);
    const config = makeConfig({
      data: { source: "tau-bench", directory: join(dir, "none") },
    });
    const { signal } = new AbortController();
    const plan = { path, config, isResumed: false };
    await assert.rejects(openTraining(plan, { signal }), /a1" already exists/);
    const numbered = { ...plan, numberIfTaken: true };
    await assert.rejects(openTraining(numbered, { signal }), /Cannot find/);
    // A preparation that fails leaves no directory.
    assert.deepEqual((await Array.fromAsync(Deno.readDir(dir))).length, 1);
  }));
