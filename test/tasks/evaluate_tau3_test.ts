import assert from "node:assert/strict";
import { z } from "zod";
import { evaluateSimulation } from "../../env/benchmarks/tau3/evaluators/evaluate_simulation.ts";
import { loadTau3 } from "../../env/benchmarks/tau3/load_bundle.ts";
import { tau3MessageSchema } from "../../env/benchmarks/tau3/tau3_message.ts";
import { openResults } from "../../env/benchmarks/results/open_results.ts";
import { openRunEpisodes, turnsOf } from "../../train/runs/run_episodes.ts";
import {
  type JsonObject,
  parsePythonJson,
} from "../../env/python/python_json.ts";
import { objectsAt, textAt } from "../../env/row.ts";
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
    "evaluate --export tau3: upstream's file judges as the evaluation did, and what is incomparable gets no submission",
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
        /split is small.*leaves tasks out.*1 trials.*user is scripted/,
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
    "evaluate --tau3-bench: a model user and a model agent, and a judge for the tasks that need one",
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
