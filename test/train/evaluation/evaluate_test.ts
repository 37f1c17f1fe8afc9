import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { generated } from "../../../env/generated/generated.ts";
import { expertAgent } from "../../../env/agents/expert.ts";
import { textAgent } from "../../../env/agents/text.ts";
import { InfrastructureError } from "../../../env/errors.ts";
import type { Agent, Dataset, UserFactory } from "../../../env/types.ts";
import { changeRunInfo } from "../../support/run_info.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import { EpisodeStore } from "../../../train/runs/episode_store.ts";
import { resolveBy } from "../../../train/config/config.ts";
import { evaluationSchema } from "../../../train/evaluation/evaluation_config.ts";
import {
  evaluate,
  jobsOf,
  reportOf,
  tasksOf,
} from "../../../train/evaluation/evaluate.ts";
import {
  EvaluationDir,
  readEvaluation,
} from "../../../train/evaluation/evaluation_dir.ts";
import { tauBenchResults } from "../../../train/evaluation/tau_bench_results.ts";
import { newRunInfo } from "../../../train/runs/run_info.ts";
import { readRun } from "../../../train/runs/training_dir.ts";
import { sayingChatModel } from "../../support/chat_models.ts";

const TASKS = 6;
const DATA = { trainTasks: 1, devTasks: 1, testTasks: TASKS };
const dataset: Dataset = await generated(5, DATA);
const scripted = scriptedUser(dataset);
const expert = expertAgent();

function configOf(text = "") {
  return resolveBy(evaluationSchema, {
    name: "test",
    text: text || "{ trials: 2, agent: expert }",
  });
}

async function inDir(
  body: (path: string, dir: EvaluationDir) => Promise<void>,
  config = configOf(),
): Promise<void> {
  const root = await Deno.makeTempDir();
  const path = join(root, "e");
  const info = await newRunInfo({
    kind: "evaluate",
    seed: 1,
    dataset,
    now: new Date(0),
  });
  try {
    await using dir = await EvaluationDir.create(path, { config, info });
    await body(path, dir);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function run(
  dir: EvaluationDir,
  options: {
    agent?: Agent;
    user?: UserFactory;
    signal?: AbortSignal | undefined;
    onEpisode?: () => void;
    concurrency?: number;
  } = {},
): Promise<boolean> {
  const { agent = expert, user = scripted, signal, ...rest } = options;
  return evaluate({
    dir,
    dataset,
    agent,
    user,
    signal: signal ?? new AbortController().signal,
    now: () => 0,
    ...rest,
  });
}

Deno.test("evaluate() runs and reports every trial of every task once", () =>
  inDir(async (_path, dir) => {
    assert.equal(await run(dir), true);
    const report = reportOf(dir, dataset);
    assert.deepEqual(
      [report.tasks, report.scored, report.planned, report.meanReward],
      [TASKS, 2 * TASKS, 2 * TASKS, 1],
    );
    assert.deepEqual(report.passK.map(({ value }) => value), [1, 1]);
    assert.deepEqual(report.unsolved, []);
    const keys = dir.episodes().map(({ taskId, seed }) => `${taskId} ${seed}`);
    assert.equal(new Set(keys).size, 2 * TASKS);
    assert.equal(await run(dir), true);
    assert.equal(dir.episodes().length, 2 * TASKS, "nothing is run twice");
  }));

Deno.test("jobsOf() derives seeds from seed, task and trial, independent of the other tasks", () => {
  const all = jobsOf(dataset, configOf());
  const some = jobsOf(
    dataset,
    configOf("{ trials: 2, agent: expert, tasks: [3] }"),
  );
  assert.deepEqual(
    some.map(({ seed }) => seed),
    all.filter(({ task }) => task.index === 3).map(({ seed }) => seed),
  );
  assert.equal(new Set(all.map(({ seed }) => seed)).size, all.length);
  assert.throws(() => tasksOf(dataset, configOf("{ tasks: [6] }")), {
    name: "ConfigError",
    message:
      /The test split of generated retail has no task 6; its tasks are numbered from 0 to 5/,
  });
});

Deno.test("evaluate() keeps completed episodes when it is stopped, and continues from there", () =>
  inDir(async (path, dir) => {
    const controller = new AbortController();
    let ended = 0;
    const done = await run(dir, {
      signal: controller.signal,
      concurrency: 2,
      onEpisode: () => {
        if (++ended === 5) controller.abort();
      },
    });
    assert.equal(done, false);
    const kept = dir.episodes().length;
    assert.ok(kept >= 5 && kept < 2 * TASKS);
    await dir[Symbol.asyncDispose]();
    await using again = await EvaluationDir.resume(path);
    let more = 0;
    assert.equal(await run(again, { onEpisode: () => void more++ }), true);
    assert.equal(more, 2 * TASKS - kept);
    assert.equal(reportOf(again, dataset).scored, 2 * TASKS);
  }));

Deno.test("evaluate() does not score infrastructure failures, and retries them on resume", () =>
  inDir(async (path, dir) => {
    const failing: UserFactory = (task, options) => {
      if (task.index !== 2) return scripted(task, options);
      const fail = () =>
        Promise.reject(
          new InfrastructureError("no key", {
            kind: "refused",
            source: "user",
          }),
        );
      return { open: fail, reply: fail };
    };
    await run(dir, { user: failing });
    const report = reportOf(dir, dataset);
    assert.deepEqual(report.failures, { "user refused": 2 });
    assert.deepEqual([report.scored, report.meanReward], [2 * TASKS - 2, 1]);
    await dir[Symbol.asyncDispose]();
    await using again = await EvaluationDir.resume(path);
    assert.equal(again.episodes().length, 2 * TASKS - 2);
    await run(again);
    assert.deepEqual(reportOf(again, dataset).failures, {});
  }));

Deno.test("EvaluationDir.resume() reports lost episodes, and runs them again if discard is set", () =>
  inDir(async (path, dir) => {
    await dir.session(async () => {
      const isComplete = await run(dir);
      return { isComplete, result: reportOf(dir, dataset) };
    });
    await dir[Symbol.asyncDispose]();
    {
      using store = new EpisodeStore(join(path, "episodes.db"));
      store.remove(store.list().slice(0, 3).map(({ id }) => id));
    }
    await assert.rejects(EvaluationDir.resume(path), {
      name: "RunDirError",
      message: /episodes\.db has only 9 of the 12 scored episodes/,
    });
    await using again = await EvaluationDir.resume(path, { discard: true });
    assert.equal(await run(again), true);
    assert.equal(reportOf(again, dataset).scored, 2 * TASKS);
  }));

Deno.test("reportOf() counts the reasons for reward 0, and the do-nothing baseline", () =>
  inDir(async (_path, dir) => {
    const model = sayingChatModel(
      'Action:\n{"name": "transfer_to_human_agents", "arguments": {"summary": "x"}}',
    );
    await run(dir, { agent: textAgent({ model, strategy: "act" }) });
    const report = reportOf(dir, dataset);
    assert.deepEqual(report.reasons, { transferred: 2 * TASKS });
    assert.deepEqual(report.stopReasons, { transfer: 2 * TASKS });
    assert.equal(report.unsolved.length, TASKS);
    assert.ok(report.passK[0]!.high > 0);
    assert.equal(report.baseline, report.baselineTasks.length / TASKS);
    assert.equal(report.usage.agent.calls, 2 * TASKS);
    assert.equal(report.usage.agent.cost, TASKS);
    const { intent, tasks } = report.byIntent[0]!;
    assert.equal(
      tasks,
      dataset.tasks("test").filter((task) => task.intent === intent).length,
    );
  }));

Deno.test("tauBenchResults() lists τ-bench's results, trial by trial", () =>
  inDir(async (_path, dir) => {
    await run(dir);
    const results = JSON.parse(tauBenchResults(dir, dataset));
    assert.equal(results.length, 2 * TASKS);
    const [first, second] = results;
    assert.deepEqual(Object.keys(first), [
      "task_id",
      "reward",
      "info",
      "traj",
      "trial",
    ]);
    assert.deepEqual(
      [first.task_id, first.trial, second.task_id, second.trial],
      [0, 0, 0, 1],
    );
    assert.deepEqual(Object.keys(first.info), [
      "task",
      "source",
      "user_cost",
      "reward_info",
    ]);
    assert.deepEqual(Object.keys(first.info.task), [
      "user_id",
      "actions",
      "instruction",
      "outputs",
    ]);
    assert.equal(first.reward, 1);
    assert.deepEqual(first.info.reward_info.actions, first.info.task.actions);
    assert.ok(
      "r_actions" in first.info.reward_info.info ||
        "r_outputs" in first.info.reward_info.info,
    );
    const call = first.traj.find((message: { tool_calls?: unknown }) =>
      message.tool_calls
    );
    assert.equal(typeof call.tool_calls[0].function.arguments, "string");
    const answer = first.traj.find((message: { role: string }) =>
      message.role === "tool"
    );
    assert.equal(answer.tool_call_id, call.tool_calls[0].id);
    assert.match(tauBenchResults(dir, dataset), /"reward": 1\.0/);
  }));

Deno.test("EvaluationDir and TrainingDir reject each other's directories", () =>
  inDir(async (path, dir) => {
    await dir.begin(new Date(0));
    await assert.rejects(readRun(path), {
      name: "ConfigError",
      message: /is an evaluation, not a training run/,
    });
    assert.equal((await readEvaluation(path)).config.trials, 2);
    const { info } = dir;
    await changeRunInfo(path, (info) => ({ ...info, kind: "train" }));
    await assert.rejects(
      readEvaluation(path),
      /is a training run, not an evaluation/,
    );
    await assert.rejects(
      EvaluationDir.create(path, { config: configOf(), info }),
      /already exists/,
    );
  }));

Deno.test("EpisodeStore reads version 1, and upgrades it when it writes", async () => {
  const path = await Deno.makeTempFile();
  await Deno.remove(path);
  {
    using _store = new EpisodeStore(path);
  }
  {
    using old = new DatabaseSync(path);
    for (const column of ["reason", "usage", "findings"]) {
      old.exec(`ALTER TABLE episodes DROP COLUMN ${column}`);
    }
    old.exec(
      `INSERT INTO episodes (step, source, group_index, task_id, domain, split, seed, agent, model, user, stop_reason,
        retries, parse_errors, turn_count, token_count, started_at_ms, duration_ms, messages, turns)
        VALUES (1, 'grpo', 0, 't', 'retail', 'train', 1, 'a', 'm', 'u', 'user_stop', 0, 0, 1, 1, 0, 0, x'', x'')`,
    );
    old.exec("PRAGMA user_version = 1");
  }
  for (const readOnly of [true, false]) {
    using store = new EpisodeStore(path, { readOnly });
    const [episode] = store.list();
    assert.equal(episode?.source, "rl");
    assert.equal(store.list({ source: "rl" }).length, 1);
    assert.equal(store.list({ source: "grpo" }).length, 1);
    assert.deepEqual(
      [episode?.taskId, episode?.reason, episode?.usage, episode?.findings],
      ["t", null, null, null],
    );
  }
  await Deno.remove(path);
});
