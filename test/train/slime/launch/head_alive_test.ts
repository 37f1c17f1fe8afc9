import assert from "node:assert/strict";
import { join } from "node:path";
import { localShell } from "../../../../train/slime/hosts/local_shell.ts";
import {
  isHeadAlive,
  RAY_MARK,
} from "../../../../train/slime/launch/ray_cluster.ts";
import { runProgram } from "../../../support/programs.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

Deno.test("isHeadAlive() checks the process of the head's server, not other processes of this or another Ray", () =>
  inTempDir(async (dir) => {
    const sleep = (await runProgram("sh", ["-c", "command -v sleep"])).trim();
    const start = async (name: string, mark: string) => {
      const path = join(dir, name);
      await Deno.copyFile(sleep, path);
      return new Deno.Command(path, {
        args: ["600"],
        env: { [RAY_MARK]: mark },
      }).spawn();
    };
    const mark = crypto.randomUUID();
    const isAlive = (of: string) =>
      isHeadAlive({ mark: of, hosts: ["this machine"] }, () => localShell());
    const dashboard = await start("dashboard", mark);
    const server = await start("gcs_server", mark);
    try {
      assert.equal(await isAlive(mark), true);
      assert.equal(await isAlive(mark.slice(1)), false);
      server.kill("SIGKILL");
      await server.status;
      assert.equal(await isAlive(mark), false);
    } finally {
      dashboard.kill("SIGKILL");
      await dashboard.status;
    }
  }));
