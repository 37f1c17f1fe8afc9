import assert from "node:assert/strict";
import { join } from "node:path";
import { modelServer } from "../support/model_server.ts";
import { writePolicyRun } from "../support/policy_run.ts";
import { QWEN3_DIR, qwen3Tokenizer } from "../support/qwen3.ts";
import { inTempDir } from "../support/temp_dir.ts";
import { runTask, taskCommand } from "../support/task_process.ts";

Deno.test("serve serves a run's policy until Ctrl-C, and prints its URL", () =>
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
      headers: { "content-type": "application/json" },
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

Deno.test("serve ends on Ctrl-C although a client has sent half a request", () =>
  inTempDir(async (dir) => {
    await writePolicyRun(join(dir, "tiny"));
    const args = ["--runs", dir, "--policy", "tiny", "--port", "0", "--json"];
    await using server = taskCommand("serve", args).spawn();
    const reader = server.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    const { value } = await reader.read();
    const { hostname, port } = new URL(JSON.parse(value ?? "").url);
    using client = await Deno.connect({ hostname, port: Number(port) });
    await client.write(new TextEncoder().encode(
      "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n" +
        'content-type: application/json\r\ncontent-length: 99\r\n\r\n{"a',
    ));
    // The server has received the first half once it answers a later request.
    await (await fetch(`http://${hostname}:${port}/health`)).body?.cancel();
    const from = performance.now();
    server.kill("SIGINT");
    assert.equal((await server.status).code, 0);
    const seconds = (performance.now() - from) / 1000;
    assert.ok(seconds < 20, `${seconds} s; a body may take 30`);
    await reader.cancel();
    await server.stderr.cancel();
  }));

Deno.test("serve reports what is missing, and requires a token if other machines can reach it", () =>
  inTempDir(async (dir) => {
    const cases: [args: string[], message: RegExp][] = [
      [[], /There is no completed training run/],
      [["--policy", "none"], /There is no run at/],
      [
        ["--write-verl", "deno.json"],
        /"deno\.json" is a file, not a directory/,
      ],
      [["--host", "0.0.0.0"], /set TAULAB_TOKEN/],
      [["--port", "70000"], /--port/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await runTask("serve", ["--runs", dir, ...args]);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  }));

Deno.test("serve --env serves sessions until Ctrl-C, which closes the open ones", async () => {
  const args = [
    ...["--env", "retail", "--split", "test", "--port", "0", "--json"],
    ...["--set", "data.generated.testTasks=2", "--max-sessions", "3"],
  ];
  // Unlike the flags, the variables neither fail for a generated world nor select another source.
  const env = {
    TAU_BENCH_DIR: "not/there",
    TAU3_BENCH_DIR: "not/there",
    INIT_CWD: "/",
  };
  await using server = taskCommand("serve", args, { env }).spawn();
  const reader = server.stdout.pipeThrough(new TextDecoderStream())
    .getReader();
  const { value } = await reader.read();
  const { url, user } = JSON.parse(value ?? "");
  assert.equal(user, "scripted");
  const post = async (path: string, body: unknown) =>
    await (await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    })).json();
  const { observation } = await post("/reset", { seed: 3 });
  assert.equal(observation.task_id, "retail/test/1");
  const action = { type: "respond", content: "Hello. What is your name?" };
  const { session_id } = observation;
  assert.equal((await post("/step", { session_id, action })).done, false);
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`);
  const ended = new Promise((resolve) => socket.onclose = resolve);
  await new Promise((resolve) => socket.onopen = resolve);
  server.kill("SIGINT");
  assert.equal((await server.status).code, 0);
  await ended;
  await reader.cancel();
  assert.match(
    await new Response(server.stderr).text(),
    /^Serving retail of the generated world \(\d+ train, \d+ dev, 2 test tasks\) with the scripted user at http:/,
  );
});

Deno.test("serve --env rejects flags of other servers, and a split that does not exist", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [
      ["--policy", "a1"],
      /--env serves environments, so it cannot be used with --policy/,
    ],
    [
      ["--recipe", "qwen3-4b"],
      /--env serves environments, so it cannot be used with --recipe/,
    ],
    [
      ["--data", "generated", "--recipe", "qwen3-4b"],
      /--env and --data serve environments, so they cannot be used with --recipe/,
    ],
    [["--split", "base"], /base/],
    [["--host", "0.0.0.0"], /set TAULAB_TOKEN/],
    [
      ["--tau-bench", "not/there"],
      /"not\/there" has no effect.*\nhint: pass --data tau-bench/,
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runTask("serve", [
      ...["--env", "retail", "--port", "0"],
      ...args,
    ]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});

Deno.test("serve --recipe runs episodes until Ctrl-C", () =>
  inTempDir(async (dir) => {
    const { stopIds: [end = 0] } = await qwen3Tokenizer();
    await using engine = modelServer({
      answer: () => ({
        meta_info: {
          finish_reason: { type: "stop" },
          output_token_logprobs: [[-0.5, end, null]],
        },
      }),
    });
    const recipe = join(dir, "mine.yaml");
    await Deno.writeTextFile(
      recipe,
      JSON.stringify({
        trainer: "slime",
        data: { source: "generated", generated: { trainTasks: 2 } },
        user: { strategy: "scripted" },
        model: { directory: QWEN3_DIR },
        rollout: { maxTurns: 2 },
        bridge: { allowEngines: ["198.51.100.2"] },
        cluster: { address: "198.51.100.3" },
      }),
    );
    const args = [
      ...["--recipe", recipe, "--port", "0", "--json"],
      ...["--allow-engine", "198.51.100.1:3100"],
    ];
    await using server = taskCommand("serve", args).spawn();
    const reader = server.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    const { value } = await reader.read();
    const { url } = JSON.parse(value ?? "");
    const response = await fetch(`${url}/episodes`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        task: 1,
        split: "train",
        seed: 5,
        session_id: "s",
        engine: engine.url,
      }),
    });
    const sample = await response.json();
    assert.equal(response.status, 200, JSON.stringify(sample));
    assert.equal(sample.remove_sample, false, JSON.stringify(sample.metadata));
    assert.equal(
      sample.tokens.length,
      sample.prompt_length + sample.response_length,
    );
    assert.equal(sample.tokens[sample.prompt_length], end);
    const ask = async (engine: string) => {
      const response = await fetch(`${url}/episodes`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          ...{ task: 100, split: "train", seed: 5, session_id: "s" },
          engine,
        }),
      });
      await response.body?.cancel();
      return response.status;
    };
    // There is no task 100, so an allowed engine gets a 404 before it is called.
    assert.equal(await ask("http://127.0.0.1:9"), 404);
    assert.equal(await ask("http://198.51.100.1:3100"), 404, "flag");
    assert.equal(await ask("http://198.51.100.1:3101"), 403);
    assert.equal(await ask("http://198.51.100.2:1"), 404, "recipe");
    assert.equal(await ask("http://198.51.100.3:1"), 404, "head");
    assert.equal(await ask("http://198.51.100.4:1"), 403);
    const own = await new Deno.Command("hostname", { args: ["-I"] }).output();
    const addresses = new TextDecoder().decode(own.stdout).trim();
    for (const address of addresses.split(/\s+/).filter(Boolean)) {
      const host = address.includes(":") ? `[${address}]` : address;
      assert.equal(await ask(`http://${host}:9`), 404, address);
    }
    server.kill("SIGINT");
    assert.equal((await server.status).code, 0);
    await reader.cancel();
    await server.stderr.cancel();
  }));

Deno.test("serve --recipe rejects --policy, and a recipe that cannot run", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--recipe", "qwen3-4b", "--policy", "a1"], /pass only one of them/],
    [["--recipe", "qwen3-5b"], /There is no recipe "qwen3-5b"/],
    [["--recipe", "default"], /"default\.yaml" is not a slime recipe/],
    [
      ["--recipe", "qwen3-4b", "--policy", "a1", "--allow-engine", "gpu1"],
      /pass only one of them/,
    ],
    [
      ["--recipe", "qwen3-4b", "--set", "parallel.tensor=1"],
      /parallel\.sequence/,
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runTask("serve", args);
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
  const elsewhere = ["--recipe", "qwen3-4b", "--tau-bench", "not/there"];
  const { code, stderr } = await runTask("serve", elsewhere);
  assert.equal(code, 1);
  assert.match(stderr, /not[/\\]there/);
});

Deno.test("serve --recipe names the run that uses its port", () =>
  inTempDir(async (dir) => {
    await using held = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => Response.json({ status: "ok", run: "first" }),
    );
    const recipe = join(dir, "mine.yaml");
    await Deno.writeTextFile(
      recipe,
      JSON.stringify({
        trainer: "slime",
        data: { source: "generated", generated: { trainTasks: 2 } },
        user: { strategy: "scripted" },
        model: { directory: QWEN3_DIR },
      }),
    );
    const { port } = held.addr;
    const args = ["--recipe", recipe, "--port", String(port)];
    const { code, stderr } = await runTask("serve", args);
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      /an episode server of the run "first" uses the port[^]*--stop first\).*bridge\.port/,
    );
  }));
