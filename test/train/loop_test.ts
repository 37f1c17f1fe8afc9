import assert from "node:assert/strict";
import { join } from "node:path";
import { RunDirError, TrainerError } from "../../env/errors.ts";
import { EpisodeStore } from "../../train/runs/episode_store.ts";
import { type Activity, train } from "../../train/loop.ts";
import type { RlMetrics } from "../../train/runs/metrics.ts";
import { TrainingDir } from "../../train/runs/training_dir.ts";
import { summarize } from "../../train/runs/summary.ts";
import { advantageAt } from "../../train/trainer.ts";
import {
  fakeLab,
  type FakeLabOptions,
  newFakeRun,
  timeless,
} from "../support/lab.ts";
import { inTempDir } from "../support/temp_dir.ts";

const RECIPE = `
coldStart: { steps: 3, batchSize: 4, learningRate: 0.01, warmupSteps: 1 }
rl: { steps: 5, tasksPerStep: 4, groupSize: 4, learningRate: 0.01, warmupSteps: 0, maxRefills: 2 }
eval: { every: 2, tasks: 4, testTrials: 2 }
`;

const newRun = (dir: string, sets?: readonly string[]) =>
  newFakeRun(dir, RECIPE, sets);

/** Trains a run without interruption. Returns its metrics, its lab and its path, for comparison with other runs. */
async function undisturbed(
  dir: string,
  options: FakeLabOptions = {},
  sets: string[] = [],
) {
  await using run = await newRun(dir, sets);
  const lab = fakeLab(options);
  assert.equal(await train({ run, lab }), true);
  return { lines: run.metrics, lab, path: run.path };
}

Deno.test("train() runs the cold start, RL and both test evaluations", () =>
  inTempDir(async (dir) => {
    const { lines, lab } = await undisturbed(dir);
    const order = lines.map((line) =>
      line.phase === "eval"
        ? `${line.step} ${line.split} ${line.decoding}`
        : `${line.step} ${line.phase}`
    );
    assert.deepEqual(order, [
      "1 cold_start",
      "2 cold_start",
      "3 cold_start",
      "3 test sampled",
      "3 test greedy",
      "3 dev sampled",
      "4 rl",
      "5 rl",
      "5 dev sampled",
      "6 rl",
      "7 rl",
      "7 dev sampled",
      "8 rl",
      "8 dev sampled",
      "8 test sampled",
      "8 test greedy",
    ]);
    assert.equal(lab.trainer.resets, 1);
    assert.equal(lab.trainer.references, 0);
    const summary = summarize(lines, 3);
    assert.ok(summary.final.sampled! > summary.coldStart.sampled!);
  }));

Deno.test("train() evaluates only on test if there is no dev split", () =>
  inTempDir(async (dir) => {
    await using run = await newRun(dir);
    const lab = fakeLab();
    const dataset = { ...lab.dataset, splits: ["train", "test"] as const };
    assert.equal(await train({ run, lab: { ...lab, dataset } }), true);
    const evaluated = run.metrics.filter(({ phase }) => phase === "eval");
    assert.deepEqual(
      evaluated.map((line) => line.phase === "eval" && line.split),
      ["test", "test", "test", "test"],
    );
  }));

Deno.test("train() keeps every sampled episode, with its group and its advantage", () =>
  inTempDir(async (dir) => {
    const { lines, path } = await undisturbed(dir);
    using store = new EpisodeStore(join(path, "episodes.db"), {
      readOnly: true,
    });
    for (const line of lines) {
      if (line.phase !== "rl" && line.phase !== "eval") continue;
      const source = line.phase === "eval"
        ? `eval/${line.split}/${line.decoding}`
        : "rl";
      assert.equal(
        store.list({ step: line.step, source }).length,
        line.episodes,
      );
    }
    const first = store.list({ step: 4, source: "rl" });
    for (const [group, episodes] of Map.groupBy(first, (one) => one.group)) {
      const rewards = new Set(episodes.map((one) => one.reward));
      const trained = episodes.every((one) => one.advantage !== null);
      assert.equal(trained, rewards.size > 1, `group ${group}`);
      assert.equal(new Set(episodes.map((one) => one.taskId)).size, 1);
    }
  }));

Deno.test("train() trains only on groups with differing rewards, and refills the others up to the limit", () =>
  inTempDir(async (dir) => {
    const agreeing = { reward: () => 1 };
    const { lines, lab } = await undisturbed(dir, agreeing);
    const rl = lines.filter((line) => line.phase === "rl");
    for (const line of rl) {
      assert.equal(line.zeroVarianceShare, 1);
      assert.equal(line.trainedGroups, 0);
      assert.equal(line.refilledGroups, 8); // two rounds of four
      assert.equal(line.groups, 12);
    }
    assert.equal(lab.trainer.updates, 3); // only those of the cold start
  }));

Deno.test("train() excludes infrastructure failures from groups and counts them", () =>
  inTempDir(async (dir) => {
    const fails: FakeLabOptions["fails"] = (job) => job.seed % 3 === 0;
    const { lines, lab } = await undisturbed(dir, { fails });
    const rl = lines.filter((line): line is RlMetrics => line.phase === "rl");
    assert.ok(rl.some((line) => (line.failures["rate_limited"] ?? 0) > 0));
    for (const batch of lab.trainer.batches.slice(3)) {
      const sum = batch.reduce((total, one) => total + advantageAt(one, 1), 0);
      assert.ok(Math.abs(sum) < 1e-9, "advantages of whole groups sum to zero");
    }
    const [line] = rl;
    const failed = Object.values(line!.failures).reduce((a, b) => a + b, 0);
    const scored = Object.values(line!.stopReasons).reduce((a, b) => a + b, 0);
    assert.equal(failed + scored, line!.episodes);
  }));

Deno.test("train() fails with the cause if no episode of a step could be scored", () =>
  inTempDir(async (dir) => {
    await using run = await newRun(dir);
    const lab = fakeLab({ fails: ({ task }) => task.split === "train" });
    await assert.rejects(train({ run, lab }), (error) => {
      assert.ok(error instanceof TrainerError);
      assert.match(
        error.message,
        /All 48 episodes of step 4 failed .* from the user \(rate_limited\): slow down/,
      );
      return true;
    });
    assert.deepEqual((await run.checkpoints()).at(-1), 3);
  }));

Deno.test("train() splits a step into minibatches that contain every sequence once", () =>
  inTempDir(async (dir) => {
    const { lines, lab } = await undisturbed(dir, {}, ["rl.minibatches=3"]);
    const trained = lines.filter((line) => line.phase === "rl")
      .map((line) => line.trainedGroups * 4);
    const sizes = lab.trainer.batches.slice(3).map((batch) => batch.length);
    assert.equal(
      sizes.reduce((a, b) => a + b),
      trained.reduce((a, b) => a + b),
    );
    assert.ok(sizes.length > trained.length);
  }));

Deno.test("train() sets one reference if klCoef is not 0", () =>
  inTempDir(async (dir) => {
    const { lab } = await undisturbed(dir, {}, ["rl.klCoef=0.1"]);
    assert.equal(lab.trainer.references, 1);
  }));

for (const every of [1, 3]) {
  for (let at = 0; at < 8; at++) {
    Deno.test(`train() gives the same run if it is killed at update ${at} and resumed, saving every ${every}`, () =>
      inTempDir(async (dir) => {
        const sets = [`checkpoints.every=${every}`];
        await Deno.mkdir(join(dir, "a"));
        await Deno.mkdir(join(dir, "b"));
        const whole = await undisturbed(join(dir, "a"), {}, sets);
        const onUpdate = (count: number) => {
          if (count === at) throw new Error("killed");
        };
        {
          await using run = await newRun(join(dir, "b"), sets);
          await assert.rejects(
            train({ run, lab: fakeLab({ onUpdate }) }),
            /killed/,
          );
        }
        await using run = await TrainingDir.resume(join(dir, "b", "run"));
        assert.equal(await train({ run, lab: fakeLab() }), true);
        assert.deepEqual(timeless(run.metrics), timeless(whole.lines));
        assert.deepEqual(episodesOf(run.path), episodesOf(whole.path));
      }));
  }
}

for (let at = 0; at < 14; at++) {
  Deno.test(`train() gives the same run if it is killed at rollout ${at} and resumed`, () =>
    inTempDir(async (dir) => {
      await Deno.mkdir(join(dir, "a"));
      await Deno.mkdir(join(dir, "b"));
      const whole = await undisturbed(join(dir, "a"));
      {
        await using run = await newRun(join(dir, "b"));
        const lab = fakeLab();
        let rollouts = 0;
        const sample: typeof lab.sample = (jobs, how) =>
          rollouts++ === at
            ? Promise.reject(new Error("killed"))
            : lab.sample(jobs, how);
        await assert.rejects(train({ run, lab: { ...lab, sample } }), /killed/);
      }
      await using run = await TrainingDir.resume(join(dir, "b", "run"));
      assert.equal(await train({ run, lab: fakeLab() }), true);
      assert.deepEqual(timeless(run.metrics), timeless(whole.lines));
      assert.deepEqual(episodesOf(run.path), episodesOf(whole.path));
    }));
}

function episodesOf(path: string) {
  using store = new EpisodeStore(join(path, "episodes.db"), { readOnly: true });
  return store.list().map((episode) => ({ ...episode, id: 0 }));
}

Deno.test("train() finishes and saves the current step when it is aborted", () =>
  inTempDir(async (dir) => {
    const abort = new AbortController();
    const onUpdate = (count: number) => {
      if (count === 5) abort.abort();
    };
    {
      await using run = await newRun(dir, ["checkpoints.every=100"]);
      const done = await train({
        run,
        lab: fakeLab({ onUpdate }),
        signal: abort.signal,
      });
      assert.equal(done, false);
      assert.equal(run.metrics.at(-1)!.step, 6);
      assert.deepEqual(await run.checkpoints(), [3, 6]);
    }
    await using run = await TrainingDir.resume(join(dir, "run"));
    assert.equal(run.metrics.at(-1)!.step, 6);
  }));

Deno.test("train() drops the current step when halted, saves the earlier ones, and continues to the same end", () =>
  inTempDir(async (dir) => {
    await Deno.mkdir(join(dir, "a"));
    await Deno.mkdir(join(dir, "b"));
    const whole = await undisturbed(join(dir, "a"));
    const halt = new AbortController();
    const sets = ["checkpoints.every=100"];
    {
      await using run = await newRun(join(dir, "b"), sets);
      const onActivity = ({ step, done }: Activity) => {
        if (step === 6 && done === 3) halt.abort();
      };
      const { signal } = halt;
      const lab = fakeLab();
      assert.equal(
        await train({ run, lab, halt: signal, onActivity }),
        false,
      );
      assert.equal(run.metrics.at(-1)?.step, 5);
      assert.deepEqual(await run.checkpoints(), [3, 5]);
    }
    await using run = await TrainingDir.resume(join(dir, "b", "run"));
    assert.equal(await train({ run, lab: fakeLab() }), true);
    assert.deepEqual(timeless(run.metrics), timeless(whole.lines));
  }));

Deno.test("train() drops an aborted evaluation, and runs it on resume", () =>
  inTempDir(async (dir) => {
    const abort = new AbortController();
    const { signal } = abort;
    {
      await using run = await newRun(dir);
      const onActivity = (activity: { phase: string }) => {
        if (activity.phase === "eval") abort.abort();
      };
      assert.equal(
        await train({ run, lab: fakeLab(), signal, onActivity }),
        false,
      );
      assert.ok(run.metrics.every((line) => line.phase === "cold_start"));
    }
    await using run = await TrainingDir.resume(join(dir, "run"));
    assert.equal(await train({ run, lab: fakeLab() }), true);
  }));

Deno.test("train() names a damaged checkpoint, and the fix", () =>
  inTempDir(async (dir) => {
    const { path } = await undisturbed(dir);
    await Deno.writeTextFile(
      join(path, "checkpoints/8/policy/skill.json"),
      "{",
    );
    {
      await using run = await TrainingDir.resume(path);
      await assert.rejects(
        train({ run, lab: fakeLab() }),
        (error) => {
          assert.ok(error instanceof RunDirError);
          assert.match(
            String(error),
            /checksum.*remove ".*checkpoints\/8" and resume again/,
          );
          return true;
        },
      );
    }
    await Deno.remove(join(path, "checkpoints/8"), { recursive: true });
    await using run = await TrainingDir.resume(path);
    assert.equal(await train({ run, lab: fakeLab() }), true);
  }));

Deno.test("train() keeps the latest checkpoints and the cold start's last", () =>
  inTempDir(async (dir) => {
    const { path } = await undisturbed(dir, {}, ["checkpoints.keep=2"]);
    await using run = await TrainingDir.resume(path);
    assert.deepEqual(await run.checkpoints(), [3, 7, 8]);
  }));

Deno.test("train() uses a custom reward in RL, but not in evaluations", () =>
  inTempDir(async (dir) => {
    await using run = await newRun(dir);
    const lab = fakeLab();
    const rules = new Map<string, boolean>();
    const sample = lab.sample.bind(lab);
    const phases: string[] = [];
    lab.sample = (jobs, options) => {
      rules.set(`${phases.at(-1)}`, options.reward === reward);
      return sample(jobs, options);
    };
    function reward() {
      return 0.5;
    }
    await train({
      run,
      lab,
      reward,
      onActivity: ({ phase }) => phases.push(phase),
    });
    assert.deepEqual([...rules], [["eval", false], ["rl", true]]);
  }));
