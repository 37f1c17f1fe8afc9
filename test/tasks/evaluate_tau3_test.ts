import assert from "node:assert/strict";
import { z } from "zod";
import { evaluateSimulation } from "../../env/benchmarks/tau3/evaluators/evaluate_simulation.ts";
import { loadTau3 } from "../../env/benchmarks/tau3/load_bundle.ts";
import { tau3MessageSchema } from "../../env/benchmarks/tau3/tau3_message.ts";
import { diagnosisFindings } from "../../notebooks/viewer/diagnosis_finder.ts";
import { ResultsSource } from "../../notebooks/viewer/results_source.ts";
import { openResults } from "../../env/benchmarks/results/open_results.ts";
import { openRunEpisodes, turnsOf } from "../../train/runs/run_episodes.ts";
import {
  type JsonObject,
  parsePythonJson,
} from "../../env/python/python_json.ts";
import { objectsAt, textAt } from "../../env/row.ts";
import type { Turn } from "../../env/types.ts";
import { chatAnswer, modelServer } from "../support/model_server.ts";
import { NO_TAU3_BENCH, TAU3_BENCH } from "../support/tau3_bench.ts";
import { runTask } from "../support/task_process.ts";
import { inTempDir } from "../support/temp_dir.ts";

function evaluateTau3(runs: string, ...args: string[]) {
  return runTask("evaluate", [
    ...["--runs", runs, "--tau3-bench", TAU3_BENCH],
    ...args,
  ], { env: { OPENAI_API_KEY: "key" } });
}

Deno.test({
  name:
    "evaluate --export tau3 writes upstream's file with the same rewards, and no submission if scores are incomparable",
  ignore: NO_TAU3_BENCH,
  fn: () =>
    inTempDir(async (dir) => {
      const { code, stdout, stderr } = await evaluateTau3(
        dir,
        ...["--env", "telecom", "--split", "small", "--task-ids", "0,1"],
        ...["--agent", "expert", "--name", "e", "--export", "tau3", "--json"],
      );
      const report = JSON.parse(stdout);
      assert.deepEqual([report.scored, report.meanReward], [2, 1], stderr);
      assert.equal(code, 1, "incomparable scores");
      assert.match(
        report.incomparable.join("; "),
        /split is small.*excludes tasks.*number of trials is 1.*user's strategy is scripted/,
      );
      await assert.rejects(Deno.stat(`${dir}/e/submission.json`));
      const file = await Deno.readTextFile(`${dir}/e/tau3_results.json`);
      const results = parsePythonJson(file) as JsonObject;
      const bundle = await loadTau3(TAU3_BENCH, "telecom");
      assert.deepEqual(
        objectsAt(results, "tasks").map((task) => task.get("id")),
        bundle.tasksOf("small").slice(0, 2).map(({ id }) => id),
      );
      for (const simulation of objectsAt(results, "simulations")) {
        const messages = z.array(tau3MessageSchema).parse(
          simulation.get("messages"),
        );
        assert(messages.some(({ role }) => role === "user"));
        const { value } = await evaluateSimulation({
          source: bundle,
          task: bundle.task(textAt(simulation, "task_id")),
          messages,
          terminationReason: "user_stop",
        });
        assert.equal(value, 1);
      }
      using run = await openRunEpisodes(`${dir}/e`, { tau3Bench: TAU3_BENCH });
      const bytes = new TextEncoder().encode(file);
      const { records, fault } = openResults(bytes, "tau3_results.json");
      assert.equal(fault, null);
      const played = run.list().toSorted((a, b) =>
        a.record.group - b.record.group
      );
      for (const [i, episode] of played.entries()) {
        const { messages, turns, reward } = records[i]!;
        assert.deepEqual(turnsOf(turns), episode.turns());
        const { differences: _, record: _record, ...graded } = episode.record
          .rewardDetail!;
        assert.deepEqual(reward, { ...graded, differences: [] });
        assert(messages.length > 2);
      }
    }),
});

Deno.test({
  name:
    "evaluate --tau3-bench runs a model user, a model agent, and a judge for the tasks that need one",
  ignore: NO_TAU3_BENCH,
  fn: () =>
    inTempDir(async (dir) => {
      await using server = modelServer({
        answer({ body }) {
          const text = JSON.stringify(body);
          if (text.includes("expectedOutcomes")) {
            return chatAnswer('{"results": []}');
          }
          return chatAnswer(
            text.includes("<scenario>") ? "###STOP###" : "Hello.",
          );
        },
      });
      const url = `${server.url}/v1`;
      const at = ["--base-url", url, "--user-base-url", url];
      const run = (...more: string[]) =>
        evaluateTau3(
          dir,
          ...["--env", "retail", "--split", "base", "--task-ids", "1,2"],
          ...["--model", "m", "--user", "llm", "--user-model", "u", ...at],
          ...["--json", ...more],
        );
      const unjudged = JSON.parse((await run("--name", "a")).stdout);
      assert.deepEqual([unjudged.scored, unjudged.failures], [1, {
        "environment not_judged": 1,
      }]);
      const judge = ["--judge-model", "j", "--judge-base-url", url];
      const judged = JSON.parse((await run("--name", "b", ...judge)).stdout);
      assert.deepEqual([judged.scored, judged.failures], [2, {}]);
    }),
});

Deno.test({
  name:
    "evaluate --solo has no user, the ticket and 44 tools, and writes upstream's export and a run that view and diagnose open",
  ignore: NO_TAU3_BENCH,
  fn: () =>
    inTempDir(async (dir) => {
      const done = { name: "done", arguments: "{}" };
      await using server = modelServer({
        // After the probe, the model gives up the first task and only writes a message in the second.
        answer: ({ index }) =>
          index === 1 ? chatAnswer(null, done) : chatAnswer("Hello."),
      });
      const solo = ["--env", "telecom", "--split", "small", "--solo"];
      const model = await evaluateTau3(
        dir,
        ...solo,
        ...["--task-ids", "0,1", "--policy-type", "workflow", "--name", "m"],
        ...["--model", "m", "--base-url", `${server.url}/v1`],
        ...["--concurrency", "1", "--export", "tau3", "--json"],
      );
      const lost = JSON.parse(model.stdout);
      assert.deepEqual([lost.scored, lost.meanReward], [2, 0], model.stderr);
      assert.match(
        lost.incomparable.join("; "),
        /policy type is workflow.*works without a user/,
      );
      const bodies = server.requests.slice(-2).map(({ body }) => body);
      for (const { messages, tools, tool_choice } of bodies) {
        const roles = messages.map(({ role }: { role: string }) => role);
        assert.deepEqual(roles, ["system"]);
        assert.match(messages[0].content, /<ticket>\n.*phone/);
        assert.deepEqual([tools.length, tool_choice], [44, "required"]);
      }
      using run = await openRunEpisodes(`${dir}/m`, { tau3Bench: TAU3_BENCH });
      assert.deepEqual(
        run.list().map(({ record, stopReason }) => [stopReason, record.user]),
        [["agent_stop", "none"], ["agent_error", "none"]],
      );
      const results = JSON.parse(
        await Deno.readTextFile(`${dir}/m/tau3_results.json`),
      );
      const { user_info, agent_info, environment_info } = results.info;
      assert.deepEqual(
        [
          user_info.implementation,
          agent_info.implementation,
          environment_info.domain_name,
        ],
        ["dummy_user", "llm_agent_solo", "telecom-workflow"],
      );
      assert.deepEqual(
        results.simulations.map((one: Record<string, unknown>) => [
          one["termination_reason"],
          (one["messages"] as { role: string; content: string }[])
            .map(({ role, content }) => `${role}: ${content}`),
        ]),
        [["agent_stop", ["assistant: ###STOP###"]], [
          "agent_error",
          ["assistant: Hello."],
        ]],
      );
      const bytes = await Deno.readFile(`${dir}/m/tau3_results.json`);
      const { records } = openResults(bytes, "tau3_results.json");
      assert.deepEqual(
        records.map(({ turns }) =>
          turnsOf(turns).map(({ action, observation }) => [
            action.type === "tool" ? action.call.name : action.content,
            observation.end,
          ])
        ),
        [[["done", "agent_stop"]], [["Hello.", "agent_error"]]],
      );
      for (const source of ["m", `${dir}/m/tau3_results.json`]) {
        const told = await runTask("diagnose", [
          ...[source, "--runs", dir, "--tau3-bench", TAU3_BENCH],
        ]);
        assert.equal(told.code, 0, told.stderr);
        assert.match(told.stdout, /never called.*: toggle_roaming/);
      }
    }),
});

Deno.test({
  name:
    "evaluate --solo --agent expert plays both sides, and its export has the same messages",
  ignore: NO_TAU3_BENCH,
  fn: () =>
    inTempDir(async (dir) => {
      const { stdout, stderr } = await evaluateTau3(
        dir,
        ...["--env", "telecom", "--split", "small", "--solo"],
        ...["--agent", "expert", "--name", "e", "--export", "tau3", "--json"],
      );
      const report = JSON.parse(stdout);
      assert.deepEqual([report.scored, report.meanReward], [20, 1], stderr);
      using run = await openRunEpisodes(`${dir}/e`, { tau3Bench: TAU3_BENCH });
      const bytes = await Deno.readFile(`${dir}/e/tau3_results.json`);
      const file = openResults(bytes, "tau3_results.json");
      const tasks = await file.tasksIn(TAU3_BENCH);
      const played = run.list().toSorted((a, b) =>
        a.record.group - b.record.group
      );
      for (const [i, episode] of played.entries()) {
        const record = file.records[i]!;
        const calls = (turns: readonly Turn[]) =>
          turns.map(({ action, observation }) => [
            action.type === "tool" && action.call.name,
            observation,
          ]);
        const turns = turnsOf(record.turns);
        assert.deepEqual(calls(turns), calls(episode.turns()));
        const { dataset, task } = tasks.get(record.number)!;
        const replayed = dataset.rules!.replay(task, turns);
        assert.equal(replayed.reward.value, 1);
      }
      using source = new ResultsSource(`${dir}/e/tau3_results.json`, {
        find: diagnosisFindings,
        tau3Bench: TAU3_BENCH,
      });
      const { reward, database } = await source.episode(1);
      assert.deepEqual([reward?.value, database.isWhole], [1, true]);
      assert(database.writes.length > 0);
      assert(database.rows.some(({ side }) => side === "user"));
    }),
});

Deno.test({
  name: "evaluate --solo rejects flags that contradict it",
  ignore: NO_TAU3_BENCH,
  fn: () =>
    inTempDir(async (dir) => {
      for (
        const [args, why] of [
          [["--env", "retail"], /"retail" .* no policy for solo agents/],
          [["--user", "llm", "--user-model", "u"], /has no user/],
          [["--model", "m", "--agent", "react"], /assumes a user/],
          [["--data", "generated"], /no effect on the generated world/],
        ] as const
      ) {
        const { code, stderr } = await evaluateTau3(
          dir,
          ...["--env", "telecom", "--split", "base", "--solo"],
          ...["--agent", "expert", ...args],
        );
        assert.notEqual(code, 0);
        assert.match(stderr, why);
      }
      const generated = await runTask("evaluate", [
        ...["--solo", "--agent", "expert", "--runs", dir],
      ]);
      assert.match(
        generated.stderr,
        /Solo mode is available only for τ³-bench, but data\.source is generated/,
      );
    }),
});
