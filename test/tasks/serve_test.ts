import assert from "node:assert/strict";
import { join } from "node:path";
import { writePolicyRun } from "../fakes/policy_run.ts";

function serveTask(args: readonly string[], env: Record<string, string> = {}) {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--unstable-no-legacy-abort",
      "--allow-read",
      "--allow-net=127.0.0.1,0.0.0.0",
      "--allow-env=LOG_TOKENS,LOG_STREAM,TAULAB_TOKEN",
      new URL("../../tasks/serve.ts", import.meta.url).pathname,
      ...args,
    ],
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  });
}

async function inTempDir(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("serve answers for a run's policy until Ctrl-C, and says where", () =>
  inTempDir(async (dir) => {
    await writePolicyRun(join(dir, "tiny"));
    const args = ["--runs", dir, "--policy", "tiny", "--port", "0", "--json"];
    await using server = serveTask(args).spawn();
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
      const { code, stderr } = await serveTask(["--runs", dir, ...args])
        .output();
      assert.equal(code, 2);
      assert.match(new TextDecoder().decode(stderr), message);
    }
  }));
