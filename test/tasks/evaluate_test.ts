import assert from "node:assert/strict";
import { join } from "node:path";
import { parseTaskIds } from "../../tasks/_evaluate_flags.ts";
import { chatAnswer, modelServer } from "../support/model_server.ts";
import { writePolicyRun } from "../support/policy_run.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../support/tau_bench.ts";
import { inTempDir } from "../support/temp_dir.ts";
import { runTask } from "../support/task_process.ts";

/** Numbers of tasks for a world that is generated instantly but has enough test tasks. */
const SMALL = { train: 6, dev: 6, test: 20 };
const SMALL_WORLD = Object.entries(SMALL)
  .flatMap(([split, n]) => ["--set", `data.generated.${split}Tasks=${n}`]);

function evaluateTask(runs: string, ...args: string[]) {
  return runTask("evaluate", ["--runs", runs, ...args]);
}

for (
  const { env, tasks, solved, nothing } of [
    { env: "retail", tasks: 115, solved: 113, nothing: 7 },
    { env: "airline", tasks: 50, solved: 50, nothing: 19 },
  ]
) {
  Deno.test({
    name:
      `evaluate: the expert solves ${solved} of ${tasks} test tasks of τ-${env}, ${nothing} of which the do-nothing baseline solves`,
    ignore: NO_TAU_BENCH,
    fn: () =>
      inTempDir(async (dir) => {
        const { code, stdout, stderr } = await evaluateTask(
          dir,
          ...["--data", "tau-bench", "--env", env, "--tau-bench", TAU_BENCH],
          ...["--agent", "expert", "--max-turns", "60", "--name", "e"],
          ...["--export", "tau-bench", "--json"],
        );
        assert.equal(code, 0, stderr);
        const result = JSON.parse(stdout);
        assert.deepEqual([result.scored, result.meanReward, result.split], [
          tasks,
          solved / tasks,
          "test",
        ]);
        assert.equal(result.unsolved.length, tasks - solved);
        assert.equal(result.baselineTasks.length, nothing);
        const file = join(dir, "e", "tau_bench_results.json");
        const exported = JSON.parse(await Deno.readTextFile(file));
        assert.equal(exported.length, tasks);
      }),
  });
}

Deno.test("evaluate: the expert solves every test task of the generated airline, the do-nothing baseline none", () =>
  inTempDir(async (dir) => {
    const { code, stdout, stderr } = await evaluateTask(
      dir,
      ...["--env", "airline", "--agent", "expert", "--json"],
      ...["--set", "data.airline.trainTasks=1"],
      ...["--set", "data.airline.devTasks=1"],
    );
    assert.equal(code, 0, stderr);
    const { scored, meanReward, baseline, unsolved } = JSON.parse(stdout);
    assert.deepEqual([scored, meanReward, baseline, unsolved], [100, 1, 0, []]);
  }));

Deno.test("evaluate --policy evaluates a run's policy on the run's own test tasks, and prints a table", () =>
  inTempDir(async (dir) => {
    await writePolicyRun(join(dir, "p"));
    const { code, stdout, stderr } = await evaluateTask(
      dir,
      "--trials",
      "2",
      "--name",
      "e",
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /pass\^1 .* 0\.000 /);
    assert.match(stdout, /pass\^2/);
    assert.match(stdout, /6 of 6 episodes scored/);
    assert.match(stderr, /the policy of ".*p" after step 1/);
    const twice = await evaluateTask(dir, "--resume", "e", "--trials", "3");
    assert.equal(twice.code, 2);
    assert.match(
      twice.stderr,
      /Cannot resume ".*e": trials is 2 in .*e\/config.yaml, but 3 in the flags/,
    );
  }));

Deno.test("evaluate stops cleanly at its budget, and continues with a larger one", () =>
  inTempDir(async (dir) => {
    await using server = modelServer({
      answer: () =>
        chatAnswer(null, {
          name: "transfer_to_human_agents",
          arguments: '{"summary": "x"}',
        }),
    });
    const model = [
      "--model",
      "some/model",
      "--provider",
      "sglang",
      "--base-url",
      `${server.url}/v1`,
    ];
    const first = await evaluateTask(
      dir,
      ...model,
      ...SMALL_WORLD,
      ...[
        "--task-ids",
        "0-19",
        "--name",
        "e",
        "--concurrency",
        "1",
        "--max-tokens",
        "100",
      ],
      "--json",
    );
    assert.equal(first.code, 1, first.stderr);
    assert.match(
      first.stderr,
      /The budget is spent: \d+ tokens used; pass a larger --max-tokens/,
    );
    const { scored, outcome } = JSON.parse(first.stdout);
    assert.equal(outcome, "interrupted");
    assert.ok(scored > 0 && scored < 20, `${scored}`);
    const second = await evaluateTask(
      dir,
      "--resume",
      "e",
      "--max-tokens",
      "100000",
      "--json",
    );
    assert.equal(second.code, 0, second.stderr);
    assert.equal(JSON.parse(second.stdout).scored, 20);
    for (const { body } of server.requests) {
      assert.equal(body.model, "some/model");
    }
  }));

Deno.test("evaluate exits with 1 if every episode failed", () =>
  inTempDir(async (dir) => {
    await using server = modelServer({
      // Answers only the probe at the start, and nothing after it.
      answer: ({ index }) =>
        index === 0
          ? chatAnswer("ready")
          : Response.json({ error: { message: "gone" } }, { status: 400 }),
    });
    const { code, stdout, stderr } = await evaluateTask(
      dir,
      ...["--model", "m", "--provider", "sglang", ...SMALL_WORLD],
      ...["--base-url", `${server.url}/v1`, "--task-ids", "0-1", "--json"],
    );
    assert.equal(code, 1, stderr);
    const { scored, planned, outcome } = JSON.parse(stdout);
    assert.deepEqual([scored, planned, outcome], [0, 2, "completed"]);
  }));

Deno.test("evaluate reports wrong settings at the start, and writes nothing", () =>
  inTempDir(async (dir) => {
    await using server = modelServer({
      answer: () =>
        Response.json({ error: { message: "The model `m` does not exist" } }, {
          status: 404,
        }),
    });
    const cases: [args: string[], message: RegExp][] = [
      [[], /There is no completed training run in/],
      [["--policy", "p", "--agent", "expert"], /cannot be used together/],
      [
        ["--agent", "expert", "--task-ids", "5-2"],
        /--task-ids "5-2": "5-2" ends before it begins/,
      ],
      [["--agent", "expert", "--task-ids", "9999"], /has no task 9999/],
      [
        ["--agent", "expert", "--user", "llm"],
        /No model is set for the simulated user\nhint: pass --user-model NAME/,
      ],
      [["--agent", "poet"], /--agent/],
      [
        ["--model", "m"],
        /The API key for openai is not set\nhint: set OPENAI_API_KEY/,
      ],
      [
        ["--model", "m", "--max-cost", "1", "--provider", "vllm"],
        /"m" has no price\nhint: pass --max-tokens instead, or add prices/,
      ],
      [
        [
          "--model",
          "m",
          "--provider",
          "vllm",
          "--base-url",
          `${server.url}/v1`,
        ],
        /--model m \(vllm, .*does not exist\nhint: check the model's name/,
      ],
      [["--resume", "none"], /There is no run at/],
    ];
    for (const [args, message] of cases) {
      const world = args[0] === "--resume" ? [] : SMALL_WORLD;
      const { code, stderr } = await evaluateTask(dir, ...args, ...world);
      assert.equal(code, 2, `${args}: ${stderr}`);
      assert.match(stderr, message);
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(dir)), []);
  }));

Deno.test("evaluate --dry-run calls no model and writes nothing", () =>
  inTempDir(async (dir) => {
    const { code, stdout } = await evaluateTask(
      dir,
      ...["--model", "gpt-4o", "--trials", "3", "--dry-run", "--json"],
      ...SMALL_WORLD,
    );
    assert.equal(code, 0);
    const plan = JSON.parse(stdout);
    assert.equal(plan.tasks, SMALL.test);
    assert.equal(plan.episodes, 3 * plan.tasks);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(dir)), []);
  }));

Deno.test("parseTaskIds() reads numbers and ranges, each once and in order", () => {
  assert.deepEqual(parseTaskIds("5-7,1, 6"), [1, 5, 6, 7]);
  for (const text of ["0-999999999999", "", "a", "1,", "3-", "-3", "2-1"]) {
    assert.throws(() => parseTaskIds(text), { name: "ConfigError" });
  }
});
