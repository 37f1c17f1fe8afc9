/**
 * Tests `deno task chat` in a separate process with the task's own permissions. The process reads the user's lines from
 * stdin.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import project from "../../deno.json" with { type: "json" };
import { expertAgent } from "../../env/agents/expert.ts";
import { rollout } from "../../env/rollout.ts";
import { type Message, STOP, type Turn } from "../../env/types.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import { resolveConfig } from "../../train/config/config.ts";
import { openDataset } from "../../train/config/open_dataset.ts";
import { assertGolden } from "../support/golden.ts";
import { writePolicyRun } from "../support/policy_run.ts";
import { ERROR_AND_HINT } from "../support/task_process.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../support/tau_bench.ts";
import { NO_TAU3_BENCH, TAU3_BENCH } from "../support/tau3_bench.ts";
import { inTempDir } from "../support/temp_dir.ts";

const ROOT = new URL("../../", import.meta.url);

function start(args: readonly string[]): Deno.ChildProcess {
  const words = project.tasks.chat.command.split(" ").slice(1);
  return new Deno.Command(Deno.execPath(), {
    args: [...words, ...args],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { TAU_BENCH_DIR: "", NO_COLOR: "1" },
  }).spawn();
}

/** Runs a conversation in which the user says `lines`, after which stdin ends. */
async function chat(args: readonly string[], lines: readonly string[] = []) {
  const child = start(args);
  const writer = child.stdin.getWriter();
  const text = lines.map((line) => `${line}\n`).join("");
  // If the flags are rejected, nothing reads stdin.
  await writer.write(new TextEncoder().encode(text)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decode = (data: Uint8Array) => new TextDecoder().decode(data);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/**
 * Plays a test task of the default world with the expert and the scripted user. Returns the task, the turns, and the
 * lines that the user says.
 */
async function scripted(index: number) {
  const recipe = new URL("train/recipes/default.yaml", ROOT);
  const text = await Deno.readTextFile(recipe);
  const { data } = resolveConfig({ name: "default.yaml", text });
  const dataset = await openDataset(data);
  const task = dataset.tasks("test")[index]!;
  const { messages, turns, reward } = await rollout({
    dataset,
    task,
    agent: expertAgent(),
    user: scriptedUser(dataset),
    userName: "scripted",
    seed: 1,
    now: () => 0,
  });
  assert.equal(reward?.value, 1);
  return { task, turns, lines: linesOf(messages) };
}

function linesOf(messages: readonly Message[]): string[] {
  return messages.filter(({ role }) => role === "user")
    .map(({ content }) => content.replace(STOP, "").trim());
}

function kindsOf(turns: readonly Turn[]) {
  return turns.map(({ action }) =>
    action.type === "tool" ? action.call.name : action.content
  );
}

Deno.test("chat --help matches the golden file", async () => {
  const { code, stdout } = await chat(["--help"]);
  assert.equal(code, 0);
  await assertGolden("chat_help.txt", stdout);
});

Deno.test("chat with the expert, saying what the scripted user would, earns the reward", async () => {
  const { task, turns, lines } = await scripted(0);
  const args = ["--agent", "expert", "--task", "0"];
  const people = await chat(args, lines);
  assert.equal(people.code, 0, people.stderr);
  assert.match(people.stderr, /you are talking to the expert.*Ctrl-D/);
  const [head, ...rest] = people.stdout.split("\n");
  assert.equal(head, `You are the user. ${task.instruction}`);
  for (const line of lines) assert.ok(rest.includes(`you:   ${line}`), line);
  for (const { action } of turns) {
    if (action.type === "respond") {
      assert.ok(rest.includes(`agent: ${action.content}`), action.content);
    } else {
      const start = `  [${action.call.name} {"`;
      assert.ok(
        rest.some((line) => line.startsWith(start) && line.endsWith("]")),
        start,
      );
    }
  }
  assert.match(
    people.stdout,
    /\n\nreward 1\n {2}the database is in the expected state\n$/,
  );

  const programs = await chat([...args, "--json"], lines);
  assert.equal(programs.code, 0);
  assert.match(programs.stderr, /\nagent: .*\n/, "the talk is still shown");
  const json = JSON.parse(programs.stdout);
  assert.equal(json.task, task.id);
  assert.equal(json.instruction, task.instruction);
  assert.equal(json.reward, 1);
  assert.deepEqual(json.reasons, ["the database is in the expected state"]);
  // Without the scripted user's stop token, the expert takes one more turn before the end of the input.
  assert.deepEqual(
    kindsOf(json.turns).slice(0, turns.length),
    kindsOf(turns),
  );
  const call = json.turns.find(({ action }: Turn) => action.type === "tool");
  assert.equal(typeof Object.values(call.action.call.arguments)[0], "string");
});

Deno.test("chat scores a conversation that the user leaves at once, and shows the rows that differ", async () => {
  const { code, stdout } = await chat(["--agent", "expert"]);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^You are the user\. .*\n\n\nreward 0\n( {2}\w+ ".*": .* should be .*, is .*\n)+$/,
  );
});

Deno.test("chat stopped by Ctrl-C exits with 130 and scores nothing", async () => {
  const child = start(["--agent", "expert"]);
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let shown = "";
  while (!shown.includes("You are the user")) {
    const { value, done } = await reader.read();
    if (done) break;
    shown += value;
  }
  child.kill("SIGINT");
  const stderr = await new Response(child.stderr).text();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    shown += next.value;
  }
  assert.equal((await child.status).code, 130);
  await child.stdin.close();
  assert.match(stderr, /\nStopped; the conversation is not scored\n$/);
  assert.doesNotMatch(shown, /reward/);
});

Deno.test("chat with the policy of the last completed run, in the world that it was trained in", () =>
  inTempDir(async (dir) => {
    await writePolicyRun(join(dir, "old"));
    await writePolicyRun(join(dir, "new"), { startedAt: new Date(1) });
    const words = ["hello", "my email is a@b.c", "yes"];
    const args = ["--runs", dir, "--json"];
    const latest = await chat(args, words);
    assert.equal(latest.code, 0, latest.stderr);
    assert.match(
      latest.stderr,
      /talking to the policy of ".*new" after step 1;/,
    );
    const json = JSON.parse(latest.stdout);
    assert.equal(json.agent, "tool-calling");
    assert.equal(json.model, "new");
    assert.equal(json.reward, 0);
    const named = await chat([...args, "--policy", "old"], words);
    const byPath = await chat(["--policy", join(dir, "old"), "--json"], words);
    // Both runs have the same weights, and greedy answers depend on nothing else.
    for (const { stdout } of [named, byPath]) {
      assert.deepEqual(JSON.parse(stdout), { ...json, model: "old" });
    }
    const beyond = await chat([...args, "--task", "3"]);
    assert.equal(beyond.code, 2);
    assert.match(
      beyond.stderr,
      /no task 3 in the test split of the generated world\nhint: pass an index from 0 to 2 as --task\n$/,
    );
  }));

Deno.test("chat with a damaged policy exits with 1 and says how to fix it", () =>
  inTempDir(async (dir) => {
    await writePolicyRun(join(dir, "a"));
    const weights = join(dir, "a", "checkpoints", "1", "policy", "weights.f32");
    await Deno.truncate(weights, 100);
    const { code, stdout, stderr } = await chat(["--runs", dir]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /weights.f32" is damaged.*\nhint: choose another run\n$/,
    );
    assert.match(stderr, ERROR_AND_HINT);
  }));

Deno.test("chat exits with 2 and a hint on wrong usage, and prints nothing on stdout", () =>
  inTempDir(async (dir) => {
    await writePolicyRun(join(dir, "bare"), { steps: [] });
    const cases: [string[], RegExp][] = [
      [["--polcy", "a"], /Unknown flag "--polcy"; did you mean "--policy"\?/],
      [["--policy", "nope"], /There is no run at ".*nope"/],
      [
        ["--policy", "bare"],
        /"[^"]*bare": the run has no checkpoint.*\n?.*--resume/,
      ],
      [["--agent", "expert", "--policy", "bare"], /cannot be used together/],
      [
        ["--agent", "policy", "--runs", join(dir, "none")],
        /no completed training run in ".*none"\nhint: train one with "deno task train"/,
      ],
      [["--agent", "expert", "--task", "99999"], /no task 99999 in the test/],
      [["--agent", "expert", "--task", "-1"], /^error: --task: .*-1/],
      [["--temperature", "-1"], /--temperature: .*-1/],
      [
        ["--agent", "expert", "--data", "tau-bench"],
        /pass --tau-bench DIR or set TAU_BENCH_DIR/,
      ],
    ];
    for (const [args, message] of cases) {
      const runs = args.includes("--runs") ? [] : ["--runs", dir];
      const { code, stdout, stderr } = await chat([...runs, ...args]);
      assert.match(stderr, message);
      assert.equal(code, 2, stderr);
      assert.match(stderr, ERROR_AND_HINT);
      assert.equal(stdout, "");
    }
  }));

Deno.test({
  name: "chat plays tau-bench's tasks",
  ignore: NO_TAU_BENCH,
  async fn() {
    const { code, stdout, stderr } = await chat([
      ...["--agent", "expert", "--data", "tau-bench", "--tau-bench", TAU_BENCH],
      ...["--split", "dev", "--json"],
    ], ["hello"]);
    assert.equal(code, 0, stderr);
    const json = JSON.parse(stdout);
    assert.equal(json.task, "retail/dev/0");
    assert.equal(json.turns.at(-1).observation.content, STOP);
  },
});

Deno.test({
  name:
    "chat plays τ³-bench's tasks by the benchmark's rules, with the stand-in judge",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const args = [
      ...["--agent", "expert", "--data", "tau3-bench"],
      ...["--tau3-bench", TAU3_BENCH, "--split", "base", "--json"],
    ];
    const refused = await chat([...args, "--env", "airline"], ["hello"]);
    assert.equal(refused.code, 0, refused.stderr);
    assert.equal(JSON.parse(refused.stdout).task, "airline/base/0");
    const judged = await chat([...args, "--env", "retail", "--task", "2"]);
    assert.equal(judged.code, 0, judged.stderr);
    const { task, reward, reasons } = JSON.parse(judged.stdout);
    assert.deepEqual([task, reward], ["retail/base/2", 0]);
    assert.match(reasons.join("\n"), /^not met: .*10 t-shirt options/m);
  },
});
