import assert from "node:assert/strict";
import { join } from "node:path";
import { slimeRows } from "../../../../train/slime/plan/tau_example_rows.ts";
import { generated } from "../../../../env/generated/generated.ts";
import { createMeter } from "../../../../env/models/meter.ts";
import { printPythonJson } from "../../../../env/python/python_json.ts";
import { createRng } from "../../../../env/random.ts";
import { EpisodeService } from "../../../../env/serve/episode_service.ts";
import { episodesApp } from "../../../../env/serve/episodes_app.ts";
import { setTimeout as delay } from "node:timers/promises";
import { llmUser } from "../../../../env/users/llm.ts";
import { openDataset } from "../../../../train/config/open_dataset.ts";
import { resolveSlime } from "../../../../train/slime/slime_config.ts";
import { startServices } from "../../../../train/slime/bridge/run_servers.ts";
import { testCaller } from "../../../support/callers.ts";
import {
  chatAnswer,
  type ModelRequest,
  modelServer,
} from "../../../support/model_server.ts";
import { TINY_CONFIG } from "../../../support/policy_run.ts";
import { withoutPython } from "../../../support/python.ts";
import { modelAt } from "../../../support/served_models.ts";
import {
  checkSample,
  type RolloutEvent,
  runRollouts,
  servePolicy,
  slimeArgs,
  type SlimeSample,
  writeRows,
} from "../../../support/slime_bridge.ts";
import { writeSlimeRecipe } from "../../../support/slime_recipe.ts";
import { callText, tinyCodec } from "../../../support/tiny_codec.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const ignore = withoutPython();
const codec = tinyCodec();
const { tokenizer } = codec;
const dataset = await generated(7, {
  trainTasks: 60,
  devTasks: 1,
  testTasks: 1,
});

const tasks = dataset.tasks("train").filter(({ intent }) =>
  intent === "cancel"
);

/** Answers as a user who states the number of the task. */
function userAnswer({ body }: ModelRequest): unknown {
  const prompt = JSON.stringify(body.messages);
  const task = tasks.find(({ instruction }) => prompt.includes(instruction));
  return chatAnswer(`I am number ${task?.index}.`);
}

/**
 * Answers as an agent that solves the task and transfers the user. In some episodes, the agent talks until it is cut
 * off.
 */
function engineAnswer({ path, body, headers }: ModelRequest): unknown {
  if (path !== "/generate") return { workers: [] };
  const key = headers.get("x-smg-routing-key") ?? "";
  const prompt = tokenizer.decode(body.input_ids);
  const number = Number(/I am number (\d+)/.exec(prompt)?.[1]);
  const done = prompt.split("<tool_call>").length - 1;
  const action = dataset.tasks("train")[number]!.actions[done];
  const text = createRng(1, key).next() < 0.4
    ? "Let me look"
    : action === undefined
    ? callText("transfer_to_human_agents", '{"summary": "x"}')
    : callText(action.name, printPythonJson(action.arguments));
  const ids = tokenizer.encode(text + tokenizer.endToken);
  return {
    output_ids: ids,
    meta_info: {
      finish_reason: { type: "stop" },
      prompt_tokens: body.input_ids.length,
      cached_tokens: 0,
      weight_version: "1",
      output_token_logprobs: ids.map((id) => [-0.5, id, null]),
    },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

Deno.test({
  name:
    "if 20% of engine and user calls fail, no failure is scored or counted in a group's mean (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      const kinds = ["500", "drop", "half", "429", "malformed"] as const;
      await using engine = modelServer({
        answer: engineAnswer,
        faults: (request) => {
          if (request.path !== "/generate") return undefined;
          const rng = createRng(9, request.index);
          return rng.next() < 0.2 ? rng.pick(kinds) : undefined;
        },
      });
      await using userModel = modelServer({
        answer: userAnswer,
        faults: { seed: 3, share: 0.2, kinds },
      });
      const service = new EpisodeService({
        dataset,
        codec,
        strategy: "tool-calling",
        prompt: "none",
        compat: false,
        user: llmUser({ dataset, model: modelAt(userModel, { retries: 0 }) }),
        userName: "llm",
        meter: createMeter(),
        caller: testCaller({ retries: 0 }),
        modelName: "policy",
        contextLength: 100_000,
        maxTokensPerTurn: 1024,
        maxTurns: 5,
        retries: 0,
      });
      await using server = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen: () => {} },
        episodesApp({ service, version: "0" }).fetch,
      );
      const rows = join(dir, "rows.jsonl");
      await Deno.writeTextFile(rows, slimeRows(tasks, "split"));
      const [event] = (await runRollouts({
        args: slimeArgs(engine.url, {
          prompt_data: rows,
          taulab_services: [`http://127.0.0.1:${server.addr.port}`],
          taulab_retries: 0,
          rollout_batch_size: 16,
          over_sampling_batch_size: 16,
          // Which call fails is random, so groups are large enough to hold both rewards in any case.
          n_samples_per_prompt: 32,
          rollout_max_context_len: 100_000,
          rollout_max_response_len: 1024,
        }),
        rollouts: 1,
      })).filter((event): event is RolloutEvent => event.event === "rollout");
      const { kept, raw, normalized } = event!;
      const samples = kept.flat();
      const lost = samples.filter((sample) => sample.remove_sample);
      assert.ok(lost.length > 30 && lost.length < samples.length - 50);
      const sources = new Set(lost.map(failureSource));
      assert.deepEqual([...sources].sort(), ["model", "user"]);
      for (const sample of samples) {
        checkSample(sample);
        assert.equal(
          sample.metadata.taulab.failure === null,
          !sample.remove_sample,
        );
        if (sample.remove_sample) {
          assert.equal(sample.metadata.taulab.reward, null);
        }
      }
      let mixed = 0;
      kept.forEach((group, at) => {
        const counted = group.filter((sample) => !sample.remove_sample)
          .map(({ reward }) => reward);
        const place = at * group.length;
        const own = raw.slice(place, place + group.length);
        const advantages = normalized.slice(place, place + group.length);
        if (counted.length === 0) return;
        if (counted.includes(0) && counted.includes(1)) mixed++;
        assert.ok(Math.abs(mean(own) - mean(counted)) < 1e-9);
        assert.ok(Math.abs(mean(advantages)) < 1e-9);
        group.forEach((sample, index) => {
          const wanted = sample.remove_sample
            ? 0
            : sample.reward - mean(counted);
          assert.ok(Math.abs(advantages[index]! - wanted) < 1e-9);
        });
      });
      assert.ok(mixed > 5, "groups of which something can be learnt");
    }),
});

function failureSource({ metadata }: SlimeSample): string {
  return metadata.taulab.failure.source;
}

Deno.test({
  name:
    "a killed episode server loses no episode, and episodes continue within 5 s (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      const model = join(dir, "run");
      await using engine = await servePolicy(model);
      // It is the only server: no other can take over.
      const recipePath = await writeSlimeRecipe(dir, {
        model,
        bridge: { processes: 1 },
      });
      const text = await Deno.readTextFile(recipePath);
      await using services = await startServices(
        resolveSlime({ name: "r", text }).config,
        { recipePath, overrides: [], logDir: join(dir, "logs"), port: 0 },
      );
      const world = await openDataset(TINY_CONFIG.data);
      const rows = await writeRows(dir, { dataset: world, split: "train" });
      const url = services.urls[0]!;
      let flowingMs = Infinity;
      let killing: Promise<void> | undefined;
      const events = await runRollouts({
        args: slimeArgs(engine.url, {
          prompt_data: rows,
          workers: [engine.url],
          taulab_services: services.urls,
          rollout_batch_size: 24,
          over_sampling_batch_size: 24,
        }),
        rollouts: 1,
      }, ({ event }) => {
        if (event === "begin") killing = kill();
      });
      async function kill(): Promise<void> {
        while ((await episodesAt(url)).running === 0);
        const { pid } = services.records[0]!;
        Deno.kill(pid, "SIGKILL");
        const from = performance.now();
        while (!((await episodesAt(url)).done > 0)) await delay(10);
        flowingMs = performance.now() - from;
      }
      await killing;
      const rollout = events.find((event): event is RolloutEvent =>
        event.event === "rollout"
      )!;
      const samples = rollout.kept.flat();
      assert.equal(samples.length, 24 * 8);
      samples.forEach(checkSample);
      assert.equal(samples.filter((sample) => sample.remove_sample).length, 0);
      console.log(
        `from SIGKILL to the first episode done: ${flowingMs.toFixed(0)} ms`,
      );
      assert.ok(flowingMs < 5000, `${flowingMs} ms`);
    }),
});

interface Counts {
  readonly running: number;
  readonly done: number;
}

async function episodesAt(url: string): Promise<Counts> {
  try {
    return (await (await fetch(`${url}/health`)).json()).episodes;
  } catch {
    return { running: 0, done: 0 };
  }
}
