/** Tests `deno task train` in a separate process with the task's own permissions. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { EpisodeStore } from "../../train/runs/episode_store.ts";
import { readRun } from "../../train/runs/training_dir.ts";
import { assertGolden } from "../support/golden.ts";
import {
  chatAnswer,
  type ModelServer,
  modelServer,
} from "../support/model_server.ts";
import { inTempDir } from "../support/temp_dir.ts";
import {
  ERROR_AND_HINT,
  runTask,
  taskCommand,
} from "../support/task_process.ts";

/** Settings for runs that take seconds: a tiny policy, and few steps with few episodes each. */
const TINY = [
  "model.dim=32",
  "model.heads=2",
  "model.layers=1",
  "model.hidden=64",
  "model.pointerDim=16",
  "model.contextLength=2048",
  "data.generated.trainTasks=24",
  "data.generated.devTasks=6",
  "data.generated.testTasks=6",
  "coldStart.steps=4",
  "coldStart.batchSize=4",
  "coldStart.warmupSteps=1",
  "rft.steps=2",
  "rft.tasksPerStep=4",
  "rft.updates=1",
  "rft.batchSize=4",
  "rl.steps=2",
  "rl.tasksPerStep=2",
  "rl.groupSize=2",
  "rl.warmupSteps=0",
  "rl.maxRefills=1",
  "eval.every=1",
  "rollout.maxTokensPerTurn=24",
  "rollout.maxTurns=6",
  "threads=1",
].flatMap((set) => ["--set", set]);

/** The exit status of a run without a learning signal. The policy here is too small to solve a task in so few steps. */
const NEVER_LEARNT = 1;

function output(args: readonly string[]) {
  return runTask("train", args);
}

/** Returns the metrics and the episodes of a run without the episodes' ids or any values that depend on the time. */
async function remains(path: string) {
  using store = new EpisodeStore(join(path, "episodes.db"), { readOnly: true });
  const episodes = store.list().map((episode) => ({
    ...episode,
    id: 0,
    startedAtMs: 0,
    durationMs: 0,
    spans: null,
  }));
  const { lines } = await readRun(path);
  return { lines: lines.map((line) => ({ ...line, timing: null })), episodes };
}

/** Starts a run and waits until it has written `lines` lines of metrics. Fails if the run ends earlier. */
async function startUntil(
  lines: number,
  options: { runs: string; name: string; args: readonly string[] },
) {
  const child = taskCommand("train", ["--runs", options.runs, ...options.args])
    .spawn();
  let ended = false;
  const result = child.output().finally(() => ended = true);
  const metrics = join(options.runs, options.name, "metrics.jsonl");
  while (!ended) {
    const text = await Deno.readTextFile(metrics).catch(() => "");
    if (text.split("\n").length > lines) return { child, result };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { stderr } = await result;
  throw new Error(`The run ended before: ${new TextDecoder().decode(stderr)}`);
}

/** Flags of a run whose cold start lasts longer than any test. */
const LONG = [...TINY, "--set", "coldStart.steps=5000", "--name", "a"];

Deno.test("train --help matches the golden file", async () => {
  const { code, stdout } = await output(["--help"]);
  assert.equal(code, 0);
  const [flags, keys] = stdout.split(/(?=Keys for recipes)/);
  await assertGolden("train_help.txt", flags!);
  assert.match(keys!, /rl\.groupSize=\d+ +Episodes per task/);
});

Deno.test("train --dry-run prints the plan and writes nothing", () =>
  inTempDir(async (dir) => {
    const { code, stdout } = await output([
      ...TINY,
      "--runs",
      dir,
      "--dry-run",
    ]);
    assert.equal(code, 0);
    const plan = stdout.replace(/about .*/g, "about …")
      .replace(/^(demonstrations +).*/m, "$1…")
      .replace(/─+$/m, "─");
    await assertGolden("train_dry_run.txt", plan);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(dir)), []);
  }));

Deno.test("train exits with 2 and a hint on wrong usage, and prints nothing on stdout", async () => {
  const cases: [string[], RegExp][] = [
    [["--sed", "3"], /Unknown flag "--sed"; did you mean "--seed"\?/],
    [
      ["--set", "rl.stesp=3"],
      /unknown key "rl.stesp"; did you mean "rl.steps"\?/,
    ],
    [["--set", "rl.steps=x"], /rl.steps .*expected number, got "x"/],
    [
      ["--recipe", "nope"],
      /no recipe "nope"\nhint: .*"default", .*"qwen3-4b", .*"retail-all", "tau-airline", "tau-retail"/,
    ],
    [["--data", "tau-bench"], /pass --tau-bench DIR or set TAU_BENCH_DIR/],
    [
      ["--control", "--set", "rft.steps=0", "--set", "rl.steps=0"],
      /control: expected no control while coldStart.steps is 0 or both rft.steps and rl.steps are 0/,
    ],
    [["--resume", "nope"], /There is no run at "runs\/nope"/],
  ];
  await Promise.all(cases.map(async ([args, message]) => {
    const { code, stdout, stderr } = await output(args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
    assert.match(stderr, ERROR_AND_HINT);
    assert.equal(stdout, "");
  }));
});

Deno.test("train --json prints one object, and two runs of the same config are equal", () =>
  inTempDir(async (dir) => {
    const args = [...TINY, "--runs", dir, "--json"];
    const [a, b] = await Promise.all(
      ["a", "b"].map((name) => output([...args, "--name", name])),
    );
    assert.equal(a!.code, NEVER_LEARNT, a!.stderr);
    const json = JSON.parse(a!.stdout);
    for (
      const key of [
        "pass1_cold_start",
        "pass1_final",
        "wall_s",
        "peak_rss_bytes",
        "seed",
      ]
    ) {
      assert.equal(typeof json[key], "number", key);
    }
    assert.equal(json.pass1_control, null);
    assert.equal(json.control_wall_s, null);
    assert.equal(json.run_dir, join(dir, "a"));
    assert.equal(b!.code, NEVER_LEARNT);
    assert.deepEqual(
      await remains(join(dir, "a")),
      await remains(join(dir, "b")),
    );
    const svg = await Deno.readTextFile(join(dir, "a", "curve.svg"));
    assert.match(svg, /^<svg .*<\/svg>\n$/s);
  }));

Deno.test("train --control shows the control next to RL, and --json has both", () =>
  inTempDir(async (dir) => {
    const args = ["--runs", dir];
    const first = [...TINY, ...args, "--name", "one", "--control"];
    const { code, stdout, stderr } = await output(first);
    assert.equal(code, NEVER_LEARNT, stderr);
    assert.match(
      stdout,
      /^pass\^1 on test +cold start +control +RL +gain +over control$/m,
    );
    assert.match(
      stdout,
      /^RL's steps took .* \d+ for the same number of seconds \(trained in .*\), \d+ for the same number of tokens \(not trained\)$/m,
    );
    // A control can be added to a completed run, and nothing else is trained again.
    const { lines } = await readRun(join(dir, "one"));
    const more = [...args, "--resume", "one", "--control-tokens", "--json"];
    const again = await output(more);
    assert.equal(again.code, NEVER_LEARNT, again.stderr);
    const after = (await readRun(join(dir, "one"))).lines;
    assert.deepEqual(after.slice(0, lines.length), lines);
    assert.ok(after.length > lines.length);
    const json = JSON.parse(again.stdout);
    for (const which of ["control", "control_tokens"]) {
      for (
        const key of [
          `pass1_${which}`,
          `pass1_${which}_greedy`,
          `${which}_wall_s`,
          `${which}_steps`,
        ]
      ) assert.equal(typeof json[key], "number", key);
    }
    assert.ok(json.rl_wall_s > 0);
    assert.equal(json.steps, 8);
  }));

Deno.test("train fails with an explanation if RL had no learning signal", () =>
  inTempDir(async (dir) => {
    const args = [...TINY, "--set", "rft.steps=5", "--runs", dir];
    const { code, stdout, stderr } = await output(args);
    assert.equal(code, NEVER_LEARNT, stderr);
    assert.match(
      stderr,
      /^warning: no learning signal in the last 5 steps of rejection fine-tuning \(mean reward 0\.000\): no conversation earned/m,
    );
    assert.match(
      stdout,
      /^error: RL had no learning signal: .*\nhint: .*diagnose/m,
    );
    assert.equal(
      JSON.parse(
        (await output([...args, "--json"])).stdout,
      ).learnt,
      false,
    );
  }));

Deno.test("train gives the same run if it is killed at any moment and resumed", () =>
  inTempDir(async (dir) => {
    const whole = await output([
      ...TINY,
      "--runs",
      dir,
      "--name",
      "whole",
    ]);
    assert.equal(whole.code, NEVER_LEARNT, whole.stderr);
    // Killed in the cold start, in its evaluations, and in RL.
    for (const [i, lines] of [2, 5, 8].entries()) {
      const args = i === 0
        ? [...TINY, "--name", "killed"]
        : ["--resume", "killed"];
      const { child, result } = await startUntil(lines, {
        runs: dir,
        name: "killed",
        args,
      });
      child.kill("SIGKILL");
      await result;
    }
    const { code, stderr } = await output(["--runs", dir, "--resume"]);
    assert.equal(code, NEVER_LEARNT, stderr);
    assert.deepEqual(
      await remains(join(dir, "killed")),
      await remains(join(dir, "whole")),
    );
  }));

Deno.test("train stopped by Ctrl-C saves, says how to resume, and exits with 130", () =>
  inTempDir(async (dir) => {
    const { child, result } = await startUntil(2, {
      runs: dir,
      name: "a",
      args: LONG,
    });
    child.kill("SIGINT");
    const { code, stdout, stderr } = await result;
    assert.equal(code, 130);
    assert.match(
      new TextDecoder().decode(stderr),
      /press Ctrl-C again to stop immediately/,
    );
    assert.match(
      new TextDecoder().decode(stdout),
      /Resume with: deno task train --resume .*\/a\n/,
    );
    const { info, lines } = await readRun(join(dir, "a"));
    assert.equal(info.outcome, "interrupted");
    await Deno.stat(join(dir, "a", "checkpoints", String(lines.at(-1)!.step)));
  }));

Deno.test("train refuses a run that another process is writing", () =>
  inTempDir(async (dir) => {
    const { child, result } = await startUntil(1, {
      runs: dir,
      name: "a",
      args: LONG,
    });
    const { code, stderr } = await output([
      "--runs",
      dir,
      "--resume",
      "a",
    ]);
    child.kill("SIGKILL");
    await result;
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(`in use by another process \\(process ${child.pid}\\)`),
    );
  }));

Deno.test("train --resume rejects a config that differs from the run's", () =>
  inTempDir(async (dir) => {
    const { child, result } = await startUntil(1, {
      runs: dir,
      name: "a",
      args: LONG,
    });
    child.kill("SIGKILL");
    await result;
    const other = ["--runs", dir, "--resume", "a", "--set", "rl.groupSize=4"];
    const { code, stderr } = await output(other);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /Cannot resume ".*a": rl.groupSize is 2 in .*a\/config.yaml, but 4 in the flags/,
    );
  }));

/**
 * Starts a model server that plays the user. Each answer is a greeting with the number of messages in the request, and
 * uses 15 tokens.
 */
function userServer(): ModelServer {
  return modelServer({
    answer: ({ body }) => chatAnswer(`hello ${body.messages.length}`),
  });
}

function llm({ url }: ModelServer): string[] {
  return [
    ...["--user", "llm", "--user-model", "some/model"],
    ...["--user-provider", "vllm", "--user-base-url", `${url}/v1`],
  ];
}

Deno.test("train with a model as user stops at its budget, and continues with a larger one", () =>
  inTempDir(async (dir) => {
    await using server = userServer();
    const args = [...TINY, ...llm(server), "--runs", dir, "--name", "a"];
    const first = await output([...args, "--max-tokens", "900"]);
    assert.equal(first.code, 1, first.stderr);
    assert.match(first.stderr, /llm some\/model user/);
    assert.match(
      first.stderr,
      /The budget is spent: \d+ tokens used; pass a larger --max-tokens/,
    );
    assert.match(first.stdout, /Resume with: deno task train --resume .*\/a\n/);
    const spent = server.requests.length;
    assert.ok(spent * 15 < 900 + 64 * 15, "calls in flight at most");
    const again = ["--runs", dir, "--resume", "a"];
    const same = await output([...again, "--max-tokens", "15"]);
    assert.equal(same.code, 1);
    assert.match(same.stderr, /^error: The budget is spent/m);
    assert.equal(server.requests.length, spent);
    const more = await output([...again, "--max-tokens", "9000000"]);
    assert.equal(more.code, NEVER_LEARNT, more.stderr);
    assert.match(more.stdout, /The user's model: \d[\d,]* calls, /);
    using store = new EpisodeStore(join(dir, "a", "episodes.db"), {
      readOnly: true,
    });
    for (const { usage, failure } of store.list()) {
      assert.equal(failure, null);
      assert.ok((usage?.user.calls ?? 0) > 0);
    }
  }));

Deno.test("train writes nothing if the user's model does not answer", () =>
  inTempDir(async (dir) => {
    await using server = modelServer({
      answer: () =>
        new Response('{"error": {"message": "bad key"}}', { status: 401 }),
    });
    const { code, stderr } = await output([
      ...TINY,
      ...llm(server),
      "--runs",
      dir,
    ]);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /Cannot use --user-model some\/model .*: .*bad key/,
    );
    assert.match(stderr, ERROR_AND_HINT);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(dir)), []);
  }));

Deno.test("train --dry-run names the user's model and does not call it", () =>
  inTempDir(async (dir) => {
    await using server = userServer();
    const { code, stdout } = await output([
      ...TINY,
      ...llm(server),
      "--runs",
      dir,
      "--dry-run",
    ]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /user +llm some\/model; the plan does not include the time of its calls/,
    );
    assert.equal(server.requests.length, 0);
    const unnamed = await output([...TINY, "--user", "llm", "--dry-run"]);
    assert.equal(unnamed.code, 2);
    assert.match(
      unnamed.stderr,
      /No model is set for the simulated user\nhint: pass --user-model/,
    );
  }));
