import assert from "node:assert/strict";
import { join } from "node:path";
import { createMeter } from "../../../env/models/meter.ts";
import { generated } from "../../../env/generated/generated.ts";
import { resolveBy } from "../../../train/config/config.ts";
import { openCandidate } from "../../../train/evaluation/candidate.ts";
import {
  type EvaluationConfig,
  evaluationSchema,
} from "../../../train/evaluation/evaluation_config.ts";
import { evaluate } from "../../../train/evaluation/evaluate.ts";
import { EvaluationDir } from "../../../train/evaluation/evaluation_dir.ts";
import type { StoredEpisode } from "../../../train/runs/episode_store.ts";
import { newRunInfo } from "../../../train/runs/run_info.ts";
import { openUser } from "../../../train/config/open_user.ts";
import { FAULTS, modelServer } from "../../support/model_server.ts";
import { recordedAnswers } from "../../support/recorded_models.ts";
import { taskCommand } from "../../support/task_process.ts";

const TASKS = 24;
const DATA = { trainTasks: 1, devTasks: 1, testTasks: TASKS };
const dataset = await generated(7, DATA);
const answer = await recordedAnswers(dataset, dataset.tasks("test"));

function configFor(url: string, retries = 3): EvaluationConfig {
  const calls = "calls: { timeoutS: 0.3, retries: 8, backoffMs: 1 }";
  return resolveBy(evaluationSchema, {
    name: "chaos",
    text: `
      data: { worldSeed: 7, generated: ${JSON.stringify(DATA)} }
      model: { provider: sglang, model: agent, baseUrl: "${url}/v1", ${calls} }
      user:
        strategy: llm
        endpoint: { provider: sglang, model: user, baseUrl: "${url}/v1", ${calls} }
      rollout: { concurrency: 12, retries: ${retries} }
    `,
  });
}

/** Returns the fields of an episode that must not depend on faults. */
function outcomeOf(
  { taskId, reward, reason, stopReason, turns }: StoredEpisode,
) {
  return [taskId, reward, reason, stopReason, turns];
}

async function evaluateAt(
  url: string,
  retries?: number,
): Promise<StoredEpisode[]> {
  const root = await Deno.makeTempDir();
  try {
    const config = configFor(url, retries);
    const info = await newRunInfo({
      kind: "evaluate",
      seed: 1,
      dataset,
      now: new Date(0),
    });
    await using dir = await EvaluationDir.create(join(root, "e"), {
      config,
      info,
    });
    const meter = createMeter();
    const world = { dataset, meter, env: () => undefined };
    await using candidate = await openCandidate(config, world);
    const complete = await evaluate({
      dir,
      dataset,
      agent: candidate.agent,
      user: await openUser(config, world),
      signal: new AbortController().signal,
      now: () => 0,
    });
    assert.ok(complete);
    return dir.episodes();
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("evaluate() gives the same episodes although a fifth of all calls fail", async () => {
  await using calm = modelServer({ answer });
  await using wild = modelServer({ answer, faults: { seed: 3, share: 0.2 } });
  const expected = await evaluateAt(calm.url);
  const got = await evaluateAt(wild.url);
  const sorted = (episodes: readonly StoredEpisode[]) =>
    episodes.map(outcomeOf).sort();
  assert.equal(expected.length, TASKS);
  assert.deepEqual(
    new Set(expected.map(({ reward }) => reward)),
    new Set([0, 1]),
  );
  assert.deepEqual(sorted(got), sorted(expected));
  for (const fault of FAULTS) {
    assert.ok(wild.played.get(fault), `${fault} was played`);
  }
  // A call is counted once, however often it was retried.
  const calls = (episodes: readonly StoredEpisode[]) =>
    episodes.reduce(
      (sum, { usage }) =>
        sum + (usage?.agent.calls ?? 0) + (usage?.user.calls ?? 0),
      0,
    );
  const retries = got.reduce(
    (sum, { usage }) =>
      sum + (usage?.agent.retries ?? 0) + (usage?.user.retries ?? 0),
    0,
  );
  assert.equal(calls(got), calls(expected));
  const checks = 2;
  assert.ok(
    retries > 0 && retries + calls(got) + checks <= wild.requests.length,
  );
});

Deno.test("evaluate() records typed failures and no score if a server never answers", async () => {
  await using server = modelServer({
    answer,
    // The first requests check that both models answer.
    faults: ({ index }) => index < 2 ? undefined : "500",
  });
  const episodes = await evaluateAt(server.url, 0);
  assert.equal(episodes.length, TASKS);
  for (const { reward, reason, failure, stopReason } of episodes) {
    assert.deepEqual([reward, reason, stopReason], [null, null, "failed"]);
    assert.deepEqual([failure?.kind, failure?.source], [
      "server_error",
      "user",
    ]);
  }
});

Deno.test("evaluate --resume after kill -9 runs only missing episodes, with the same result", async () => {
  await using server = modelServer({ answer, latencyMs: 4 });
  const root = await Deno.makeTempDir();
  const recipe = join(root, "recipe.yaml");
  await Deno.writeTextFile(recipe, JSON.stringify(configFor(server.url)));
  const task = (...args: string[]) =>
    taskCommand("evaluate", ["--runs", root, "--json", ...args]);
  try {
    const killed = task("--recipe", recipe, "--name", "k", "--concurrency", "2")
      .spawn();
    let isOver = false;
    const output = killed.output().finally(() => isOver = true);
    while (!isOver && server.requests.length < 120) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(isOver, false, "it ended before it was killed");
    killed.kill("SIGKILL");
    await output;
    const before = server.requests.length;
    const { code, stdout, stderr } = await task("--resume", "k").output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const result = JSON.parse(new TextDecoder().decode(stdout));
    assert.deepEqual([result.scored, result.planned], [TASKS, TASKS]);
    const expected = (await evaluateAt(server.url)).map(({ reward }) =>
      reward ?? 0
    );
    const mean = expected.reduce((sum, reward) => sum + reward, 0) / TASKS;
    assert.equal(result.meanReward, mean);
    // Episodes that had been written were not requested again.
    const resumed = server.requests.length - before;
    assert.ok(resumed > 0, `${resumed} calls`);
    const again = await task("--resume", "k").output();
    assert.equal(again.code, 0);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
