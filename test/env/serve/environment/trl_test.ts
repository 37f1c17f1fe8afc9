/** Tests an environment server with TRL's trainer from PyPI. */

import assert from "node:assert/strict";
import { askPython } from "../../../support/ask_python.ts";
import { environmentServer } from "../../../support/environment_server.ts";
import { clientPython } from "../../../support/python.ts";
import { QWEN3_DIR } from "../../../support/qwen3.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

Deno.test({
  name:
    "TRL's GRPOTrainer takes a step in environments of the server, talking to their users (needs trl)",
  ignore: clientPython("openenv") === undefined,
  fn: () =>
    inTempDir(async (output) => {
      await using server = environmentServer();
      const asked = { url: server.url, tokenizer: QWEN3_DIR, output };
      const { steps, log } = await askPython(
        "train_trl.py",
        JSON.stringify(asked),
        { python: clientPython("openenv")! },
      ) as { steps: number; log: Record<string, number> };
      assert.equal(steps, 1);
      const { counts } = server.sessions.metrics;
      assert.ok(counts.begun >= 2, "a reset for each rollout");
      assert.ok(counts.steps >= 2, "the model's calls were taken");
      assert.ok(log["tools/call_frequency"]! >= 1, JSON.stringify(log));
      assert.equal(log["tools/failure_frequency"], 0);
      assert.equal(log["rewards/TaulabEnv/mean"], 0);
    }),
});
