import assert from "node:assert/strict";
import { join } from "node:path";
import { HostError } from "../../../../env/errors.ts";
import { localShell } from "../../../../train/slime/hosts/local_shell.ts";
import { readManifest } from "../../../../train/slime/setup/setup_session.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

Deno.test("readManifest() treats a missing manifest as empty, and fails if it cannot be read", () =>
  inTempDir(async (dir) => {
    const shell = localShell();
    const read = () => readManifest(shell, { dir, name: "gpu1" });
    assert.deepEqual((await read()).entries, []);
    await Deno.mkdir(join(dir, "setup-gpu1.json"));
    await assert.rejects(read(), (error) => {
      assert.ok(error instanceof HostError);
      assert.match(
        error.message,
        /^Cannot read the manifest of gpu1: .*directory/,
      );
      return true;
    });
  }));
