/**
 * Tests that a domain defined in a script works everywhere without changes to taulab: in training, evaluation, exports,
 * replays, episodes for other trainers, audits and the viewer.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { expertAgent } from "../env/agents/expert.ts";
import { audit } from "../env/audit/audit.ts";
import { replayFiles } from "../env/benchmarks/tau/replay/replay_recordings.ts";
import { loadTauBench } from "../env/benchmarks/tau/tau_bench.ts";
import { callTool } from "../env/call_tool.ts";
import { domainOf } from "../env/domains/registry.ts";
import { generated } from "../env/generated/generated.ts";
import { worldFiles } from "../env/generated/world_files.ts";
import { createMeter } from "../env/models/meter.ts";
import { EpisodeService } from "../env/serve/episode_service.ts";
import { episodesApp } from "../env/serve/episodes_app.ts";
import { fromPlain, printPythonJson } from "../env/python/python_json.ts";
import { scriptedUser } from "../env/users/scripted.ts";
import { viewerApp } from "../notebooks/viewer/app.ts";
import { Library } from "../notebooks/viewer/library.ts";
import { resolveBy, resolveConfig } from "../train/config/config.ts";
import { openDataset } from "../train/config/open_dataset.ts";
import { evaluate, reportOf } from "../train/evaluation/evaluate.ts";
import { evaluationSchema } from "../train/evaluation/evaluation_config.ts";
import { EvaluationDir } from "../train/evaluation/evaluation_dir.ts";
import { tauBenchResults } from "../train/evaluation/tau_bench_results.ts";
import { newRunInfo } from "../train/runs/run_info.ts";
import { slimeRows } from "../train/slime/plan/tau_example_rows.ts";
import { readEpisodeRows } from "../train/runs/read_episode_rows.ts";
import { runSession, startRun } from "../train/session.ts";
import { testCaller } from "./support/callers.ts";
import { type ModelRequest, modelServer } from "./support/model_server.ts";
import { inTempDir } from "./support/temp_dir.ts";
import { tinyCodec } from "./support/tiny_codec.ts";
import "./support/library_desk/register.ts";

const SIZES = { trainTasks: 8, devTasks: 2, testTasks: 2 };
const world = await generated(1, SIZES, { domain: "library" });
const data = `data: { domain: library, world: ${JSON.stringify(SIZES)} }`;

Deno.test("a script's own domain trains and appears in the viewer, and its run names the domain", () =>
  inTempDir(async (dir) => {
    const config = resolveConfig({
      name: "library",
      text: `
        threads: 1
        model: { dim: 32, heads: 2, layers: 1, hidden: 64, pointerDim: 16, contextLength: 2048 }
        coldStart: { steps: 3, batchSize: 4 }
        rl: { steps: 2, tasksPerStep: 2, groupSize: 2 }
        eval: { every: 1, tasks: 2, testTrials: 1 }
        rollout: { maxTokensPerTurn: 16, maxTurns: 6 }
        ${data}
      `,
    });
    assert.equal(config.data.domain, "desks.library");
    const dataset = await openDataset(config.data);
    assert.equal(dataset.fingerprint, world.fingerprint);
    {
      await using run = await startRun(join(dir, "a"), { config, dataset });
      const { outcome } = await runSession({ run, dataset });
      assert.equal(outcome, "completed");
    }
    const rows = await readEpisodeRows(join(dir, "a"));
    assert.deepEqual(
      new Set(rows.map(({ benchmark, domain }) => `${benchmark} ${domain}`)),
      new Set(["desks library"]),
    );
    using library = await Library.open({ named: [], root: dir });
    const app = viewerApp({ library, version: "1" });
    const get = async (path: string) => {
      const response = await app.request(`http://127.0.0.1:1/api/${path}`);
      assert.equal(response.status, 200, path);
      return await response.text();
    };
    const { runs } = JSON.parse(await get("runs"));
    const list = JSON.parse(await get(`runs/${runs[0].id}/episodes`));
    assert.match(list.rows[0].task, /^library\//);
    const [{ id }] = list.rows;
    const shown = await get(`runs/${runs[0].id}/episodes/${id}`);
    assert.match(shown, /renew|due date/);
  }));

Deno.test("a script's own domain is evaluated and exported", () =>
  inTempDir(async (dir) => {
    const config = resolveBy(evaluationSchema, {
      name: "library",
      text: `{ agent: expert, trials: 2, ${data} }`,
    });
    const dataset = await openDataset(config.data);
    const info = await newRunInfo({
      kind: "evaluate",
      seed: 1,
      dataset,
      now: new Date(0),
    });
    await using run = await EvaluationDir.create(join(dir, "e"), {
      config,
      info,
    });
    await evaluate({
      dir: run,
      dataset,
      agent: expertAgent(),
      user: scriptedUser(dataset),
      signal: new AbortController().signal,
      now: () => 0,
    });
    assert.equal(reportOf(run, dataset).meanReward, 1);
    assert.match(tauBenchResults(run, dataset), /"reward": 1.0/);
  }));

Deno.test("a script's own domain is written, read and replayed in τ-bench's formats", () =>
  inTempDir(async (dir) => {
    for (const { path, text } of worldFiles(world)) {
      await Deno.mkdir(join(dir, path, ".."), { recursive: true });
      await Deno.writeTextFile(join(dir, path), text);
    }
    const read = await loadTauBench(dir, "library");
    assert.equal(read.benchmark, "desks");
    assert.equal(read.database.hash(), world.database.hash());
    const [task] = read.tasks("train");
    const database = read.database.fork();
    const steps = task!.actions.map(({ name, arguments: kwargs }) => ({
      name,
      kwargs: Object.fromEntries(kwargs),
      observation: callTool(domainOf(read), database, {
        name,
        arguments: kwargs,
      }),
      data_hash: database.hash(),
    }));
    const record = { env: "library", case: 0, steps, final_data_hash: "" };
    record.final_data_hash = database.hash();
    const path = join(dir, "fuzz.jsonl");
    await Deno.writeTextFile(path, printPythonJson(fromPlain(record)));
    const [report] = await replayFiles([path], { tauBench: dir });
    assert.deepEqual(
      [report?.domain, report?.steps, report?.mismatches],
      ["desks.library", steps.length, 0],
    );
  }));

Deno.test("a script's own domain is audited, and its episodes are served to other trainers", async () => {
  assert.deepEqual(audit(world).findings, []);
  const codec = tinyCodec();
  const ids = codec.tokenizer.encode("Hello" + codec.tokenizer.endToken);
  await using engine = modelServer({
    answer: ({ path }: ModelRequest) =>
      path !== "/generate" ? {} : {
        output_ids: ids,
        meta_info: {
          finish_reason: { type: "stop" },
          prompt_tokens: 1,
          cached_tokens: 0,
          weight_version: "1",
          output_token_logprobs: ids.map((id) => [-0.5, id, null]),
        },
      },
  });
  const service = new EpisodeService({
    dataset: world,
    codec,
    strategy: "tool-calling",
    prompt: "none",
    compat: false,
    user: scriptedUser(world),
    userName: "scripted",
    meter: createMeter(),
    caller: testCaller(),
    modelName: "policy",
    contextLength: 100_000,
    maxTokensPerTurn: 64,
    maxTurns: 3,
    retries: 0,
  });
  const app = episodesApp({ service, version: "0" });
  const ask = (domain: string) =>
    app.request("http://127.0.0.1/episodes", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        task: 0,
        split: "train",
        domain,
        seed: 1,
        session_id: "s",
        engine: engine.url,
      }),
    });
  const rows = slimeRows(world.tasks("train"), "split").split("\n");
  const { env } = JSON.parse(rows[0]!).metadata;
  assert.equal(env, "desks.library");
  const answer = await ask(env);
  assert.equal(answer.status, 200, await answer.clone().text());
  assert.equal((await ask("retail")).status, 409);
  service.stop();
});
