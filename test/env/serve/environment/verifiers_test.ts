/** Tests the package that `serve --write-verifiers` writes, with `vf-eval` of verifiers from PyPI. */

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import {
  environmentServer,
  SERVED_DATASET,
} from "../../../support/environment_server.ts";
import { expertModel } from "../../../support/expert_model.ts";
import { runProgram } from "../../../support/programs.ts";
import { clientPython } from "../../../support/python.ts";
import { inTempDir } from "../../../support/temp_dir.ts";
import { runTask } from "../../../support/task_process.ts";

const python = clientPython("verifiers");

Deno.test("serve --write-verifiers writes an installable package, for the server of --host and --port", () =>
  inTempDir(async (dir) => {
    const args = ["--write-verifiers", join(dir, "pkg"), "--port", "8123"];
    const { code, stdout } = await runTask("serve", [...args, "--json"]);
    assert.equal(code, 0);
    const { url, files } = JSON.parse(stdout);
    assert.equal(url, "http://127.0.0.1:8123");
    assert.deepEqual(files, ["taulab_env.py", "pyproject.toml"]);
    const source = await Deno.readTextFile(join(dir, "pkg", "taulab_env.py"));
    assert.match(source, /url: str = "http:\/\/127\.0\.0\.1:8123"/);
  }));

Deno.test({
  name:
    "vf-eval installs the package, plays every task against a model, and has the server's rewards (needs verifiers)",
  ignore: python === undefined,
  fn: () =>
    inTempDir(async (dir) => {
      await using server = environmentServer({ app: { token: "secret" } });
      await using model = await expertModel(SERVED_DATASET, {
        split: "train",
        seed: 5,
      });
      const written = join(dir, "pkg");
      const { port } = new URL(server.url);
      const args = ["--write-verifiers", written, "--port", port];
      assert.equal((await runTask("serve", args)).code, 0);
      const installed = join(dir, "installed");
      await runProgram(python!, [
        ...["-m", "pip", "install", "--quiet", "--no-deps", "--no-index"],
        ...["--no-build-isolation", "--target", installed, written],
      ]);
      const vfEval = join(dirname(python!), "vf-eval");
      await runProgram(vfEval, [
        ...["taulab-env", "--model", "expert", "--no-push", "--no-rich"],
        ...["--client.base-url", `${model.url}/v1`],
        ...["--env.taskset.seed", "5"],
        ...["--run.name", "one", "-o", join(dir, "outputs")],
      ], {
        cwd: dir,
        env: { PYTHONPATH: installed, TAULAB_TOKEN: "secret", HOME: dir },
      });
      const path = join(dir, "outputs", "one", "traces.jsonl");
      const episodes = (await Deno.readTextFile(path)).trim().split("\n")
        .map((line) => JSON.parse(line));
      const tasks = SERVED_DATASET.tasks("train");
      assert.equal(episodes.length, tasks.length);
      for (const { ok, traces: [trace] } of episodes) {
        assert.equal(ok, true);
        assert.equal(trace.rewards.taulab.score, 1);
        assert.equal(trace.info.taulab.stop_reason, "user_stop");
      }
      const { counts } = server.sessions.metrics;
      assert.equal(counts.ended, tasks.length);
      assert.equal(counts.steps, model.requests.length);
      assert.equal(server.sessions.size, 0);
    }),
});
