import assert from "node:assert/strict";
import { join, relative } from "node:path";
import {
  chatAnswer,
  type ModelRequest,
  modelServer,
} from "../support/model_server.ts";
import { QWEN3_DIR, qwen3Tokenizer } from "../support/qwen3.ts";
import { inTempDir } from "../support/temp_dir.ts";
import { runTask, taskCommand } from "../support/task_process.ts";

/**
 * Returns the answer of a custom model server. The agent transfers the user at once, and the user ends the
 * conversation.
 */
function answer({ body }: ModelRequest): unknown {
  return body.tools === undefined
    ? chatAnswer("Hello. ###STOP###")
    : chatAnswer(null, {
      name: "transfer_to_human_agents",
      arguments: '{"summary": "x"}',
    });
}

/** Returns the paths of all files below a directory. */
async function filesBelow(dir: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = join(dir, name);
    if (isDirectory) paths.push(...await filesBelow(path));
    else paths.push(path);
  }
  return paths;
}

for (
  const [model, inName] of [
    ["Qwen/Qwen3-4B", "Qwen-Qwen3-4B"],
    ["../../x", "x"],
    ["/etc/passwd", "etc-passwd"],
    ["..", "model"],
    ["a\\..\\b: c*é\n/", "a-..-b-c"],
  ] as const
) {
  Deno.test(`evaluate --model ${JSON.stringify(model)} --user llm only needs OPENAI_API_BASE, and writes only below the runs`, () =>
    inTempDir(async (dir) => {
      await using server = modelServer({ answer });
      const runs = join(dir, "a", "b", "runs");
      await Deno.mkdir(runs, { recursive: true });
      const { code, stdout, stderr } = await runTask(
        "evaluate",
        [
          ...["--model", model, "--user", "llm", "--user-model", `u/${model}`],
          ...["--runs", runs, "--task-ids", "0"],
          ...["--export", "tau-bench", "--json"],
        ],
        { env: { OPENAI_API_BASE: `${server.url}/v1` } },
      );
      assert.equal(code, 0, stderr);
      const result = JSON.parse(stdout);
      assert.equal(result.scored, 1);
      assert.equal(result.model, model);
      assert.equal(result.user_model, `u/${model}`);
      const asked = new Set(server.requests.map(({ body }) => body.model));
      assert.deepEqual([...asked].sort(), [model, `u/${model}`].sort());
      for (const { path } of server.requests) {
        assert.equal(path, "/v1/chat/completions");
      }
      const [name = ""] = relative(runs, result.run_dir).split("/");
      assert.match(name, /^evaluate-[\w.-]+-retail-test-\d{8}-\d{6}$/);
      assert.ok(name.startsWith(`evaluate-${inName}-retail`), name);
      const written = await filesBelow(dir);
      assert.ok(written.some((path) => path.endsWith("results.json")));
      for (const path of written) {
        assert.ok(path.startsWith(join(runs, name, "/")), path);
      }
    }));
}

Deno.test("serve --recipe with llm users only needs OPENAI_API_BASE, even if their model's name has slashes", () =>
  inTempDir(async (dir) => {
    const { stopIds: [end = 0] } = await qwen3Tokenizer();
    await using users = modelServer({ answer });
    await using engine = modelServer({
      answer: () => ({
        meta_info: {
          finish_reason: { type: "stop" },
          output_token_logprobs: [[-0.5, end, null]],
        },
      }),
    });
    const model = "../Qwen/Qwen3-4B";
    const recipe = join(dir, "mine.yaml");
    await Deno.writeTextFile(
      recipe,
      JSON.stringify({
        trainer: "slime",
        data: { source: "generated", generated: { trainTasks: 2 } },
        user: { strategy: "llm", endpoint: { model } },
        model: { directory: QWEN3_DIR },
      }),
    );
    const args = ["--recipe", recipe, "--port", "0", "--json"];
    const env = { OPENAI_API_BASE: `${users.url}/v1/` };
    await using server = taskCommand("serve", args, { env }).spawn();
    const reader = server.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    const { value } = await reader.read();
    const { url, user } = JSON.parse(value ?? "");
    assert.equal(user, `llm ${model}`);
    const before = users.requests.length;
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
    assert.equal(sample.metadata.taulab.user, `llm ${model}`);
    assert.ok(users.requests.length > before);
    for (const { path, body } of users.requests) {
      assert.equal(path, "/v1/chat/completions");
      assert.equal(body.model, model);
    }
    server.kill("SIGINT");
    assert.equal((await server.status).code, 0);
    await reader.cancel();
    await server.stderr.cancel();
  }));

Deno.test("evaluate --name rejects a name that is a path", () =>
  inTempDir(async (dir) => {
    for (const name of ["..", ".", "../x", "a/b", "/x", "-x", ".x"]) {
      const { code, stderr } = await runTask(
        "evaluate",
        ["--runs", dir, "--agent", "expert", `--name=${name}`, "--dry-run"],
      );
      assert.equal(code, 2, name);
      assert.match(stderr, /--name/);
    }
  }));
