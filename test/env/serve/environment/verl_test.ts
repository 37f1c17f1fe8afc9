/** Tests the agent loop that `serve --write-verl` writes, with the agent loop worker of verl from PyPI. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { expertAgent } from "../../../../env/agents/expert.ts";
import { InfrastructureError } from "../../../../env/errors.ts";
import { printPythonJson } from "../../../../env/python/python_json.ts";
import { rollout } from "../../../../env/rollout.ts";
import { verlPackage } from "../../../../env/serve/environment/client_packages.ts";
import { scriptedUser } from "../../../../env/users/scripted.ts";
import type { Action, Turn } from "../../../../env/types.ts";
import { askPython } from "../../../support/ask_python.ts";
import {
  environmentServer,
  type EnvironmentServerOptions,
  SERVED_DATASET,
} from "../../../support/environment_server.ts";
import { clientPython } from "../../../support/python.ts";
import { QWEN3_DIR } from "../../../support/qwen3.ts";
import { inTempDir } from "../../../support/temp_dir.ts";
import { runTask } from "../../../support/task_process.ts";

const SEED = 5;
const TASKS = SERVED_DATASET.tasks("train");

/** A rollout, as play_verl.py prints it. */
interface Rollout {
  readonly prompt: string;
  readonly pieces: {
    readonly mask: 0 | 1;
    readonly text: string;
    readonly logprobs: number[];
  }[];
  readonly score: number;
  readonly scores: number[];
  readonly last: number;
  readonly stop_reason: string;
  readonly steps: number[];
  readonly turns: number;
}

interface Played {
  readonly rollouts: Rollout[];
  readonly rows: Record<string, unknown>[];
  readonly error?: string;
}

/**
 * Plays each task with the expert. Returns the user's first message, the turns, and the text that Qwen3 would write for
 * each action.
 */
async function expertScripts() {
  return await Promise.all(TASKS.map(async (task) => {
    const { messages, turns } = await rollout({
      ...{ dataset: SERVED_DATASET, task, seed: SEED },
      agent: expertAgent(),
      user: scriptedUser(SERVED_DATASET),
    });
    const opening = messages.find(({ role }) => role === "user")!.content;
    return { opening, turns, texts: turns.map(({ action }) => said(action)) };
  }));
}

function said(action: Action): string {
  if (action.type === "respond") {
    return `<think>\nhm\n</think>\n\n${action.content}`;
  }
  const { name, arguments: args } = action.call;
  return `<tool_call>\n{"name": "${name}", "arguments": ${
    printPythonJson(args)
  }}\n</tool_call>`;
}

async function play(
  { responseLength = 16_000, ...options }: EnvironmentServerOptions & {
    readonly responseLength?: number;
  } = {},
) {
  const dir = await Deno.makeTempDir();
  try {
    await using server = environmentServer(options);
    const files = await verlPackage({ url: server.url, version: "0" });
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(dir, name), text);
    }
    const scripts = await expertScripts();
    const asked = {
      package: dir,
      tokenizer: QWEN3_DIR,
      seed: SEED,
      prompt_length: 8_000,
      response_length: responseLength,
      scripts: scripts.map(({ opening, texts }) => ({ opening, texts })),
    };
    const python = clientPython("verl")!;
    const played = await askPython("play_verl.py", JSON.stringify(asked), {
      python,
    }) as Played;
    return {
      played,
      scripts,
      counts: server.sessions.metrics.counts,
      size: server.sessions.size,
    };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("serve --write-verl writes a package for the server of --host and --port, and refuses two packages at once", () =>
  inTempDir(async (dir) => {
    const args = ["--write-verl", join(dir, "pkg"), "--port", "8123"];
    const { code, stdout } = await runTask("serve", [...args, "--json"]);
    assert.equal(code, 0);
    const { url, files } = JSON.parse(stdout);
    const printed = await runTask("serve", args);
    assert.match(printed.stdout, /main_ppo .* data\.max_prompt_length=8192 /);
    assert.equal(url, "http://127.0.0.1:8123");
    assert.deepEqual(files, [
      "taulab_verl.py",
      "pyproject.toml",
      "agent_loop.yaml",
    ]);
    const text = (name: string) => Deno.readTextFile(join(dir, "pkg", name));
    assert.match(
      await text("taulab_verl.py"),
      /^URL = "http:\/\/127\.0\.0\.1:8123"$/m,
    );
    assert.match(
      await text("agent_loop.yaml"),
      /_target_: taulab_verl\.TaulabAgentLoop\n {2}url: "http:\/\/127\.0\.0\.1:8123"/,
    );
  }));

/** Returns the text that the observation of a turn appends to the conversation. */
function answerOf({ observation }: Turn): string {
  return observation.content;
}

Deno.test({
  name:
    "verl's AgentLoopWorker plays every task in sessions of the server: the sampled ids are trained, observations are not, and the reward is the server's (needs verl)",
  ignore: clientPython("verl") === undefined,
  async fn() {
    const { played, scripts, counts, size } = await play();
    assert.equal(played.error, undefined);
    assert.equal(played.rollouts.length, TASKS.length);
    for (const [i, { texts, turns, opening }] of scripts.entries()) {
      const one = played.rollouts[i]!;
      assert.ok(one.prompt.includes(opening));
      const sampled = one.pieces.filter(({ mask }) => mask === 1);
      assert.deepEqual(
        sampled.map(({ text }) => text),
        texts.map((text) => `${text}<|im_end|>`),
      );
      assert.ok(sampled.every(({ logprobs }) => logprobs.join() === "-0.25"));
      const appended = one.pieces.filter(({ mask }) => mask === 0);
      assert.equal(appended.length, texts.length - 1);
      for (const [at, { text, logprobs }] of appended.entries()) {
        assert.ok(text.includes(answerOf(turns[at]!)), text);
        assert.deepEqual(logprobs, [0]);
      }
      assert.deepEqual(one.scores, [one.last]);
      assert.equal(one.score, 1);
      assert.equal(one.stop_reason, "user_stop");
      assert.deepEqual(one.steps, [0, texts.length - 1]);
    }
    assert.equal(counts.ended, TASKS.length);
    assert.equal(size, 0);
  },
});

Deno.test({
  name:
    "verl's rollouts that do not fit the response length have no reward, and a failing user is an error instead of a score (needs verl)",
  ignore: clientPython("verl") === undefined,
  async fn() {
    const short = await play({ responseLength: 40 });
    for (const { score, stop_reason, last } of short.played.rollouts) {
      assert.deepEqual([score, stop_reason], [0, "response_length"]);
      assert.ok(last < 40);
    }
    assert.equal(short.size, 0);
    const user = scriptedUser(SERVED_DATASET);
    const broken = Object.assign(
      (...args: Parameters<typeof user>) => ({
        ...user(...args),
        open: () => user(...args).open(),
        reply: () =>
          Promise.reject(
            new InfrastructureError("its endpoint is down", {
              kind: "server_error",
              source: "user",
            }),
          ),
      }),
      { label: "broken" },
    );
    const failed = await play({ world: { user: broken } });
    assert.match(failed.played.error ?? "", /ServerError: .*50\d/);
  },
});
