import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { RunDirError } from "../../../env/errors.ts";
import { readStore } from "../../../train/runs/run_reader.ts";
import { writeFailedRun } from "../../support/failed_run.ts";
import { inTempDir } from "../../support/temp_dir.ts";

Deno.test("readStore() reports that the system refused access, not that the file is damaged", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "a");
    await writeFailedRun(path);
    const file = join(path, "episodes.db");
    const other = new DatabaseSync(file);
    other.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
    assert.throws(
      () => readStore(path),
      (error) =>
        error instanceof RunDirError &&
        error.message.startsWith(
          `Cannot open "${file}": another process is using it (`,
        ) &&
        error.hint === "wait for that process to end, or stop it",
    );
    other.close();
    await Deno.remove(file);
    assert.throws(() => readStore(path), {
      name: "ConfigError",
      message:
        /^The run ".*a" has kept no episodes: ".*episodes\.db" is missing$/,
    });
  });
});
