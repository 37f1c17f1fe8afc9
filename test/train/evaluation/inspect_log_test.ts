import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { openResults } from "../../../env/benchmarks/results/open_results.ts";
import { toPlain } from "../../../env/python/python_json.ts";
import { Library } from "../../../notebooks/viewer/library.ts";
import { resolveBy } from "../../../train/config/config.ts";
import { openEvaluation } from "../../../train/evaluation/evaluation_session.ts";
import { evaluationSchema } from "../../../train/evaluation/evaluation_config.ts";
import { reportOf } from "../../../train/evaluation/evaluate.ts";
import { inspectLog } from "../../../train/evaluation/inspect_log.ts";
import { tauBenchResults } from "../../../train/evaluation/tau_bench_results.ts";
import { inTempDir } from "../../support/temp_dir.ts";
import { askTool, without } from "../../support/trackers.ts";

const seenSchema = z.object({
  task: z.string(),
  status: z.string(),
  model: z.string(),
  epochs: z.number(),
  scores: z.record(z.string(), z.record(z.string(), z.number())),
  summaries: z.number(),
  samples: z.array(z.object({
    id: z.number(),
    epoch: z.number(),
    reward: z.number(),
    explanation: z.string(),
    messages: z.number(),
    calls: z.number(),
    metadata: z.record(z.string(), z.unknown()),
    error: z.null(),
    rescored: z.number(),
  })),
});

const CONFIG = resolveBy(evaluationSchema, {
  name: "test",
  text: `
    agent: expert
    trials: 2
    data: { generated: { trainTasks: 1, devTasks: 1, testTasks: 3 } }
  `,
});

/** Evaluates the expert, and exports the evaluation as a log for Inspect. */
async function exported(dir: string) {
  const path = join(dir, "a");
  const { signal } = new AbortController();
  const plan = { path, isResumed: false, config: CONFIG };
  await using session = await openEvaluation(plan, { signal });
  await session.run();
  const report = reportOf(session.dir, session.dataset);
  const { dataset } = session;
  const log = inspectLog(session.dir, { dataset, report });
  await session.dir.writeText(log.name, log.bytes);
  const results = tauBenchResults(session.dir, dataset);
  return { path, log, report, results };
}

Deno.test("inspectLog() has everything that τ-bench's result file has, and the same bytes each time", () =>
  inTempDir(async (dir) => {
    const { log, results } = await exported(dir);
    const there = openResults(log.bytes, log.name);
    const own = openResults(new TextEncoder().encode(results), "r.json");
    const plain = ({ records }: typeof own) =>
      records.map(({ reward, messages, turns, actions, ...record }) => ({
        ...record,
        reward: { ...reward, checks: undefined },
        actions: actions?.map(({ name, kwargs }) => [name, toPlain(kwargs)]),
        messages: messages.map((message) => toPlain(message)),
        turns: turns.map((turn) => toPlain(turn)),
      }));
    assert.deepEqual(plain(there), plain(own));
    assert.equal(there.fault, null);
  }));

Deno.test({
  name:
    "Inspect lists, opens and rescores an evaluation, and its output opens in the viewer (needs Python with inspect_ai)",
  ignore: without("inspect"),
  fn: () =>
    inTempDir(async (dir) => {
      const { path, log, report } = await exported(dir);
      const copy = join(dir, "copy.eval");
      const seen = seenSchema.parse(
        await askTool("inspect", ["read_inspect.py", path, copy], { cwd: dir }),
      );
      assert.equal(seen.task, "retail-test");
      assert.equal(seen.status, "success");
      assert.equal(seen.model, "none/expert");
      assert.equal(seen.epochs, 2);
      assert.equal(seen.scores["reward"]?.["mean"], report.meanReward);
      assert.equal(seen.scores["calls"]?.["accuracy"], 1);
      assert.equal(seen.summaries, 6);
      const ours = openResults(log.bytes, log.name).records;
      assert.deepEqual(
        seen.samples.map(({ id, epoch, reward, messages }) => [
          id,
          epoch - 1,
          reward,
          messages,
        ]).sort(),
        ours.map(({ task, trial, reward, messages }) => [
          task,
          trial,
          reward?.value,
          messages.length,
        ]).sort(),
      );
      assert.ok(seen.samples.every(({ calls, explanation, metadata }) =>
        calls > 0 && explanation !== "" &&
        metadata["stop_reason"] === "user_stop"
      ));
      // Compressed with Zstandard, and with an additional score.
      const again = openResults(await Deno.readFile(copy), copy);
      assert.equal(again.fault, null);
      assert.deepEqual(
        again.records.map(({ turns }) =>
          turns
        ),
        ours.map(({ turns }) => turns),
      );
    }),
});

Deno.test({
  name:
    "the viewer opens a log that Inspect wrote about a task with tools (needs Python with inspect_ai)",
  ignore: without("inspect"),
  fn: () =>
    inTempDir(async (dir) => {
      const said = await askTool("inspect", ["make_inspect.py", dir], {
        cwd: dir,
      });
      assert.equal(said, "success");
      const [entry] = (await Array.fromAsync(Deno.readDir(dir)))
        .filter(({ name }) => name.endsWith(".eval"));
      const path = join(dir, entry!.name);
      using library = await Library.open({ named: [path], root: dir });
      const [source] = library.sources;
      const { run } = await source!.view();
      assert.equal(run.error, null);
      assert.equal(run.episodes, 4);
      assert.equal(run.pass1, 0.5);
      const { conversation } = JSON.parse(
        JSON.stringify({ conversation: await source!.episode(1) }),
      );
      assert.match(JSON.stringify(conversation), /get_order/);
      assert.match(JSON.stringify(conversation), /Order #W1 is pending/);
    }),
});
