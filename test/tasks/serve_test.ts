import assert from "node:assert/strict";
import { join } from "node:path";
import { writePolicyRun } from "../fakes/policy_run.ts";
import { inTempDir } from "../fakes/temp_dir.ts";
import { runTask, taskCommand } from "../fakes/task_process.ts";

Deno.test("serve answers for a run's policy until Ctrl-C, and says where", () =>
  inTempDir(async (dir) => {
    await writePolicyRun(join(dir, "tiny"));
    const args = ["--runs", dir, "--policy", "tiny", "--port", "0", "--json"];
    await using server = taskCommand("serve", args).spawn();
    const reader = server.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    const { value } = await reader.read();
    const { url, model } = JSON.parse(value ?? "");
    assert.equal(model, "tiny");
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({
        model,
        messages: [{ role: "user", content: "hi" }],
        max_tokens: 4,
      }),
    });
    const completion = await response.json();
    assert.equal(response.status, 200, JSON.stringify(completion));
    assert.ok(completion.usage.completion_tokens >= 1);
    server.kill("SIGINT");
    const { code } = await server.status;
    assert.equal(code, 0);
    await reader.cancel();
    await server.stderr.cancel();
  }));

Deno.test("serve says what is missing, and asks for a token before others can reach it", () =>
  inTempDir(async (dir) => {
    const cases: [args: string[], message: RegExp][] = [
      [[], /There is no completed run/],
      [["--policy", "none"], /There is no run at/],
      [["--host", "0.0.0.0"], /set TAULAB_TOKEN/],
      [["--port", "70000"], /--port/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await runTask("serve", ["--runs", dir, ...args]);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  }));
