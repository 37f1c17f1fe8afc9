import assert from "node:assert/strict";
import { join } from "node:path";
import { createRng } from "../../env/random.ts";
import { train } from "../../train/loop.ts";
import {
  dealBatches,
  isExemplary,
  Solved,
  tasksToTry,
} from "../../train/rft.ts";
import type { Metrics, RftMetrics } from "../../train/runs/metrics.ts";
import { TrainingDir } from "../../train/runs/training_dir.ts";
import {
  fakeEpisode,
  fakeLab,
  type FakeLabOptions,
  fakeTask,
  newFakeRun,
  timeless,
} from "../support/lab.ts";
import { inTempDir } from "../support/temp_dir.ts";

const RECIPE = `
coldStart: { steps: 2, batchSize: 4, learningRate: 0.01 }
rft: { steps: 4, tasksPerStep: 8, updates: 2, batchSize: 3, learningRate: 0.01, warmupSteps: 0 }
rl: { steps: 2, tasksPerStep: 4, groupSize: 4, learningRate: 0.01 }
eval: { every: 3, tasks: 4 }
`;

const newRun = (dir: string, sets?: readonly string[]) =>
  newFakeRun(dir, RECIPE, sets);

async function undisturbed(dir: string, options: FakeLabOptions = {}) {
  await using run = await newRun(dir);
  const lab = fakeLab(options);
  assert.equal(await train({ run, lab }), true);
  return { lines: run.metrics, lab };
}

function isRft(line: Metrics): line is RftMetrics {
  return line.phase === "rft";
}

Deno.test("train() fine-tunes on rewarded episodes between cold start and policy gradient", () =>
  inTempDir(async (dir) => {
    const { lines, lab } = await undisturbed(dir);
    const order = lines.map((line) =>
      line.phase === "eval" ? `${line.step} ${line.split}` : line.phase
    );
    assert.deepEqual(
      order.join(", "),
      [
        "cold_start, cold_start, 2 test, 2 test, 2 dev",
        "rft, rft, rft, 5 dev, rft, 6 dev",
        "rl, rl, 8 dev, 8 test, 8 test",
      ].join(", "),
    );
    const solved = lines.filter(isRft).map((line) => line.solved);
    assert.deepEqual(solved, solved.toSorted((a, b) => a - b));
    assert.ok(solved.at(-1)! > 0);
    // Rejection fine-tuning and the policy gradient each begin with a fresh optimizer.
    assert.equal(lab.trainer.resets, 2);
    assert.equal(lab.trainer.updates, 2 + 4 * 2 + 2);
  }));

Deno.test("train() fine-tunes only on demonstrations if no episode earned the reward", () =>
  inTempDir(async (dir) => {
    const { lines, lab } = await undisturbed(dir, { reward: () => 0 });
    assert.ok(lines.filter(isRft).every(({ solved }) => solved === 0));
    const batches = lab.trainer.batches.slice(2, 2 + 4 * 2);
    const seen = batches.flat().map(({ ids }) => ids[0]!);
    assert.ok(seen.every((id) => lab.demonstrations.sequences[id]));
    assert.ok(lab.trainer.batches.length === 2 + 4 * 2);
  }));

Deno.test("train() excludes infrastructure failures from fine-tuning and counts them", () =>
  inTempDir(async (dir) => {
    const { lines } = await undisturbed(dir, {
      fails: ({ seed }) => seed % 2 === 0,
      reward: () => 1,
    });
    for (const line of lines.filter(isRft)) {
      const failed = line.failures["rate_limited"] ?? 0;
      assert.ok(failed > 0);
      assert.equal(line.reward, 1);
      assert.equal(line.stopReasons["user_stop"], line.episodes - failed);
    }
  }));

for (let at = 2; at < 10; at++) {
  Deno.test(`train() gives the same run if it is killed at update ${at} of fine-tuning and resumed`, () =>
    inTempDir(async (dir) => {
      await Deno.mkdir(join(dir, "a"));
      await Deno.mkdir(join(dir, "b"));
      const whole = await undisturbed(join(dir, "a"));
      const onUpdate = (count: number) => {
        if (count === at) throw new Error("killed");
      };
      {
        await using run = await newRun(join(dir, "b"));
        const killed = train({ run, lab: fakeLab({ onUpdate }) });
        await assert.rejects(killed, /killed/);
      }
      await using run = await TrainingDir.resume(join(dir, "b", "run"));
      assert.equal(await train({ run, lab: fakeLab() }), true);
      assert.deepEqual(timeless(run.metrics), timeless(whole.lines));
    }));
}

Deno.test("a resumed run knows the tasks that it has solved", () =>
  inTempDir(async (dir) => {
    {
      await using run = await newRun(dir, ["rl.steps=0", "eval.every=0"]);
      await train({ run, lab: fakeLab() });
    }
    await using run = await TrainingDir.resume(join(dir, "run"));
    const last = run.metrics.filter(isRft).at(-1)!;
    const learned = [...run.trainedOn("rft")];
    const tasks = new Set(learned.map(({ taskId }) => taskId));
    assert.equal(tasks.size, last.solved);
    assert.ok(learned.every(({ trajectory: { ids } }) => ids[0] === 5));
  }));

Deno.test("isExemplary() requires the reward, and no error on the way", () => {
  const episode = fakeEpisode({ value: 1 });
  assert.equal(isExemplary(episode), true);
  assert.equal(isExemplary(fakeEpisode({ value: 0 })), false);
  assert.equal(isExemplary(fakeEpisode({ value: null })), false);
  assert.equal(isExemplary({ ...episode, parseErrors: 1 }), false);
  assert.equal(isExemplary({ ...episode, trajectory: null }), false);
  const error = { role: "tool", name: "look", toolCallId: "1" } as const;
  const said = (content: string) => ({
    ...episode,
    messages: [...episode.messages, { ...error, content }],
  });
  assert.equal(isExemplary(said("Error: user not found")), false);
  assert.equal(isExemplary(said('{"status": "Error"}')), true);
});

Deno.test("tasksToTry() draws half from unsolved tasks, and each task once", () => {
  const tasks = Array.from({ length: 40 }, (_, i) => fakeTask("train", i));
  const solved = { has: (id: string) => Number(id.split("/")[2]) >= 10 };
  for (let seed = 0; seed < 20; seed++) {
    const chosen = tasksToTry(tasks, {
      solved,
      size: 12,
      rng: createRng(seed),
    });
    assert.equal(new Set(chosen).size, 12);
    assert.ok(chosen.filter(({ id }) => !solved.has(id)).length >= 6);
    assert.ok(chosen.some(({ id }) => solved.has(id)));
  }
  const all = tasksToTry(tasks, { solved, size: 99, rng: createRng(1) });
  assert.equal(all.length, 40);
});

Deno.test("dealBatches() deals all sequences equally often, up to one", () => {
  const sequences = Array.from({ length: 7 }, (_, i) => ({
    ids: [i],
    lossMask: [1],
    logprobs: [0],
    advantage: 1,
  }));
  const batches = dealBatches(sequences, {
    batches: 5,
    size: 4,
    rng: createRng(1),
  });
  assert.deepEqual(batches.map((batch) => batch.length), [4, 4, 4, 4, 4]);
  const none = { batches: 5, size: 4, rng: createRng(1) };
  assert.deepEqual(dealBatches([], none), []);
  const counts = Map.groupBy(batches.flat(), ({ ids }) => ids[0]!);
  assert.deepEqual(
    [...new Set([...counts.values()].map((some) => some.length))].sort(),
    [2, 3],
  );
});

Deno.test("Solved keeps the latest conversation of a task", () => {
  const solved = new Solved();
  const trajectory = (id: number) => ({
    ids: [id],
    lossMask: [1 as const],
    logprobs: [0],
  });
  solved.add("a", trajectory(1));
  solved.add("b", trajectory(2));
  solved.add("a", trajectory(3));
  assert.deepEqual(solved.sequences.map(({ ids }) => ids[0]), [2, 3]);
  assert.equal(solved.size, 2);
  assert.equal(solved.has("c"), false);
});
