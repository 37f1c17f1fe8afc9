import assert from "node:assert/strict";
import { join } from "node:path";
import { NO_USAGE } from "../../../env/models/usage.ts";
import { resolveBy } from "../../../train/config/config.ts";
import { evaluationSchema } from "../../../train/evaluation/evaluation_config.ts";
import { openEvaluation } from "../../../train/evaluation/evaluation_session.ts";
import {
  readOrder,
  type ShardLine,
  shardOrders,
  type ShardProgress,
  writeOrder,
} from "../../../train/evaluation/shard_order.ts";
import { runShardAt } from "../../../train/evaluation/shard_worker.ts";
import { openRunEpisodes } from "../../../train/runs/run_episodes.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const CONFIG = resolveBy(evaluationSchema, {
  name: "shards",
  text: `
    agent: expert
    trials: 2
    rollout: { concurrency: 8 }
    data: { generated: { trainTasks: 1, devTasks: 1, testTasks: 5 } }
  `,
});
const JOBS = [0, 1].flatMap((trial) =>
  [0, 1, 2, 3, 4].map((position) => ({ position, trial }))
);
const NEVER = new AbortController().signal;

/**
 * Returns the task, seed, group, reward and messages of each episode of an evaluation as JSON. The texts are sorted, so
 * that their order does not depend on when the episodes ended.
 */
async function contentOf(path: string): Promise<string[]> {
  using run = await openRunEpisodes(path);
  return run.list().map(({ record, messages }) =>
    JSON.stringify([
      record.taskId,
      record.seed,
      record.group,
      record.reward,
      messages(),
    ])
  ).sort();
}

async function evaluated(
  path: string,
  workers: number,
  config = CONFIG,
): Promise<ShardProgress[]> {
  const progress: ShardProgress[] = [];
  const plan = { path, isResumed: false, config };
  await using session = await openEvaluation(plan, { signal: NEVER });
  const { isComplete, stopped } = await session.run({
    workers,
    onProgress: (one) => progress.push(one),
  });
  assert.deepEqual([isComplete, stopped], [true, []]);
  return progress;
}

Deno.test("shardOrders() divides the episodes, the concurrency and the remaining budget", () => {
  const config = {
    ...CONFIG,
    budget: { maxCost: 10, maxTokens: 1000 },
  };
  const used = { ...NO_USAGE, promptTokens: 90, completionTokens: 10, cost: 4 };
  const fingerprint = "f";
  const orders = shardOrders(JOBS, { config, fingerprint, workers: 3, used });
  assert.deepEqual(
    orders.flatMap(({ jobs }) => jobs).length,
    JOBS.length,
  );
  assert.deepEqual(
    new Set(orders.flatMap(({ jobs }) => jobs)),
    new Set(JOBS),
  );
  assert.deepEqual(orders.map(({ jobs }) => jobs.length), [4, 3, 3]);
  const [{ config: shared } = { config: CONFIG }] = orders;
  assert.deepEqual(shared.budget, { maxCost: 2, maxTokens: 300 });
  assert.equal(shared.rollout.concurrency, 2);
  // No process is started without an episode.
  assert.equal(
    shardOrders(JOBS.slice(0, 2), { config, fingerprint, workers: 8, used })
      .length,
    2,
  );
});

Deno.test("readOrder() reads what writeOrder() wrote, and rejects a damaged file", () =>
  inTempDir(async (dir) => {
    const order = { config: CONFIG, fingerprint: "f", jobs: JOBS };
    await writeOrder(join(dir, "0"), order);
    assert.deepEqual(await readOrder(join(dir, "0")), order);
    await Deno.writeTextFile(join(dir, "1.json"), "{}");
    for (const name of ["1", "2"]) {
      await assert.rejects(readOrder(join(dir, name)), /missing or damaged/);
    }
  }));

Deno.test("run({ workers }) gives the same episodes in two processes as in one, in one run dir", () =>
  inTempDir(async (dir) => {
    const [one, two] = [join(dir, "one"), join(dir, "two")];
    {
      const plan = { path: one, isResumed: false, config: CONFIG };
      await using session = await openEvaluation(plan, { signal: NEVER });
      assert.equal((await session.run()).isComplete, true);
    }
    const progress = await evaluated(two, 2);
    const sum = (key: "episodes" | "scored") =>
      progress.reduce((total, one) => total + one[key], 0);
    assert.deepEqual([sum("episodes"), sum("scored")], [10, 10]);
    assert.deepEqual(await contentOf(two), await contentOf(one));
    await assert.rejects(Deno.stat(join(two, "shards")), Deno.errors.NotFound);
  }));

Deno.test("a stopped shard continues where it stopped, and a resumed evaluation merges its shards", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "e");
    const plan = { path, config: CONFIG };
    let fingerprint = "";
    {
      await using made = await openEvaluation(
        { ...plan, isResumed: false },
        { signal: NEVER },
      );
      ({ fingerprint } = made.dataset);
    }
    // Simulates a parent process that was killed after half of the shard.
    const shard = join(path, "shards", "0");
    await Deno.mkdir(join(path, "shards"));
    const config = {
      ...CONFIG,
      rollout: { ...CONFIG.rollout, concurrency: 1 },
    };
    await writeOrder(shard, { config, fingerprint, jobs: JOBS.slice(0, 2) });
    const said: ShardLine[] = [];
    const options = { signal: NEVER, say: (one: ShardLine) => said.push(one) };
    // A request to stop may arrive while the shard still opens its dataset.
    const signal = AbortSignal.abort();
    await runShardAt(shard, { ...options, signal });
    assert.deepEqual(said.pop(), { end: { why: "it was stopped" } });

    await runShardAt(shard, options);
    assert.deepEqual(said.at(-1), { end: { why: null } });
    await writeOrder(shard, { config, fingerprint, jobs: JOBS.slice(0, 6) });
    said.length = 0;
    await runShardAt(shard, options);
    const done = said.flatMap((one) => "progress" in one ? [one.progress] : []);
    assert.equal(done.reduce((sum, { episodes }) => sum + episodes, 0), 4);
    await writeOrder(shard, { config, fingerprint: "another", jobs: JOBS });
    await assert.rejects(
      runShardAt(shard, options),
      /fingerprint \w+ in this process, but another in the evaluation/,
    );

    await using session = await openEvaluation(
      { ...plan, isResumed: true },
      { signal: NEVER },
    );
    assert.equal(session.left, 4);
    assert.equal((await session.run()).isComplete, true);
    assert.equal(session.dir.episodes().length, 10);
    await assert.rejects(Deno.stat(join(path, "shards")), Deno.errors.NotFound);
  }));

Deno.test("run({ workers }) keeps completed episodes when it is aborted, and reports a process that fails", () =>
  inTempDir(async (dir) => {
    const controller = new AbortController();
    const long = { ...CONFIG, trials: 20_000 };
    const path = join(dir, "long");
    {
      await using session = await openEvaluation(
        { path, isResumed: false, config: long },
        { signal: controller.signal },
      );
      const { isComplete, stopped } = await session.run({
        workers: 2,
        onProgress: () => controller.abort(),
      });
      assert.equal(isComplete, false);
      assert.deepEqual(stopped, ["it was stopped", "it was stopped"]);
      const { length } = session.dir.episodes();
      assert.ok(length > 0 && length < 100_000, String(length));
    }
    // The shard processes cannot open what the evaluation itself has opened.
    await using session = await openEvaluation(
      { path, isResumed: true, config: long },
      { signal: NEVER },
    );
    await Deno.writeTextFile(join(path, "shards"), "");
    await assert.rejects(session.run({ workers: 2 }), /shards/);
  }));
