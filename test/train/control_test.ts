import assert from "node:assert/strict";
import { join } from "node:path";
import { RunDirError, TrainerError } from "../../env/errors.ts";
import {
  type Config,
  parseSet,
  resolveConfig,
} from "../../train/config/config.ts";
import { openDataset } from "../../train/config/open_dataset.ts";
import { controlSchedule } from "../../train/control.ts";
import { type Activity, train, type TrainOptions } from "../../train/loop.ts";
import { checkpointSteps } from "../../train/runs/checkpoint_dirs.ts";
import { controlSteps, rlSpent } from "../../train/runs/control_budget.ts";
import { EpisodeStore } from "../../train/runs/episode_store.ts";
import type { ControlMetrics, Metrics } from "../../train/runs/metrics.ts";
import { summarize } from "../../train/runs/summary.ts";
import { TrainingDir } from "../../train/runs/training_dir.ts";
import { learningRateAt } from "../../train/schedule.ts";
import { runSession, startRun } from "../../train/session.ts";
import {
  fakeLab,
  type FakeLabOptions,
  newFakeRun,
  timeless,
} from "../support/lab.ts";
import { TINY_CONFIG } from "../support/policy_run.ts";
import { inTempDir } from "../support/temp_dir.ts";

const RECIPE = `
coldStart: { steps: 3, batchSize: 4, learningRate: 0.01, warmupSteps: 1 }
rl: { steps: 5, tasksPerStep: 4, groupSize: 4, learningRate: 0.01, warmupSteps: 0, maxRefills: 2 }
eval: { every: 2, tasks: 4, testTrials: 2 }
`;
const BOTH = ["control.seconds=true", "control.tokens=true"];

const newRun = (dir: string, sets?: readonly string[]) =>
  newFakeRun(dir, RECIPE, sets);

/** Creates a clock that advances by 10 ms each time it is read. */
function clock(): () => number {
  let nowMs = 0;
  return () => nowMs += 10;
}

async function go(
  run: TrainingDir,
  { lab = {}, ...options }:
    & { lab?: FakeLabOptions }
    & Partial<Omit<TrainOptions, "lab">> = {},
) {
  const fake = fakeLab(lab);
  const isComplete = await train({ now: clock(), ...options, run, lab: fake });
  return { isComplete, lab: fake };
}

/** Trains a run without interruption. Returns its metrics, its lab and its path. */
async function undisturbed(dir: string, sets: readonly string[] = BOTH) {
  await Deno.mkdir(dir, { recursive: true });
  await using run = await newRun(dir, sets);
  const { isComplete, lab } = await go(run);
  assert.equal(isComplete, true);
  return { lines: run.metrics, lab, path: run.path };
}

function episodesOf(path: string) {
  using store = new EpisodeStore(join(path, "episodes.db"), { readOnly: true });
  return store.list().map((episode) => ({ ...episode, id: 0 }));
}

function controlLines(lines: readonly Metrics[]): ControlMetrics[] {
  return lines.filter((line) => line.phase === "control");
}

Deno.test("train() changes nothing if no control is configured", () =>
  inTempDir(async (dir) => {
    const without = await undisturbed(join(dir, "a"), []);
    const { lines } = await undisturbed(join(dir, "b"));
    const policy = lines.filter(({ phase }) => !phase.startsWith("control"));
    assert.deepEqual(policy, without.lines);
    assert.ok(lines.length > policy.length);
    assert.deepEqual(await checkpointSteps(without.path, "control"), []);
    assert.equal(summarize(without.lines, 3).control, null);
  }));

Deno.test("train() gives each control RL's budget, from the end of the cold start", () =>
  inTempDir(async (dir) => {
    const { lines, lab, path } = await undisturbed(dir);
    // RL has five steps, each a rollout and an update. Together, they take as long as ten updates, and a supervised
    // step is one update.
    assert.equal(controlSteps(lines, "seconds"), 10);
    const tokens = lines.filter((line) => line.phase === "rl")
      .reduce((sum, { episodes }) => sum + 2 * episodes, 0) +
      3 * lab.trainer.batches.slice(3, -10 - controlSteps(lines, "tokens"))
          .flat().length;
    assert.equal(rlSpent(lines, "tokens"), tokens);
    assert.equal(controlSteps(lines, "tokens"), Math.round(tokens / 12));
    for (const budget of ["seconds", "tokens"] as const) {
      const own = controlLines(lines).filter((line) => line.budget === budget);
      const steps = controlSteps(lines, budget);
      assert.deepEqual(
        own.map(({ controlStep }) => controlStep),
        Array.from({ length: steps }, (_, i) => i + 1),
      );
      assert.ok(own.every((line) => line.controlSteps === steps));
      assert.deepEqual(await checkpointSteps(path, `control/${budget}`), [
        steps,
      ]);
    }
    assert.equal(lab.trainer.resets, 3);
    // The first loss is that of one more step of the cold start.
    const [first] = controlLines(lines);
    const last = lines.find((line) => line.step === 3);
    assert.ok(last?.phase === "cold_start");
    assert.ok(first!.loss < last.loss && first!.loss > last.loss - 0.05);
  }));

Deno.test("train() evaluates controls on RL's tasks and seeds, and ends with RL's policy", () =>
  inTempDir(async (dir) => {
    const { lines, path, lab } = await undisturbed(dir);
    using store = new EpisodeStore(join(path, "episodes.db"), {
      readOnly: true,
    });
    const jobs = (source: string) =>
      store.list({ step: 8, source })
        .map(({ taskId, seed, group }) => ({ taskId, seed, group }));
    for (const decoding of ["sampled", "greedy"]) {
      const own = jobs(`eval/test/${decoding}`);
      assert.ok(own.length > 0);
      for (const budget of ["seconds", "tokens"]) {
        const source = `control_eval/${budget}/test/${decoding}`;
        assert.deepEqual(jobs(source), own);
      }
    }
    assert.deepEqual(await checkpointSteps(path), [3, 7, 8]);
    const saved = await Deno.readTextFile(
      join(path, "checkpoints/8/policy/skill.json"),
    );
    assert.equal(JSON.parse(saved).skill, lab.trainer.skill);
    assert.ok(lines.every(({ step }) => step <= 8));
    const { steps, final, control, episodes } = summarize(lines, 3);
    assert.equal(steps, 8);
    assert.equal(final.greedy, lines.findLast(isFinalGreedy)?.pass1);
    assert.equal(episodes, store.list().length);
    const { seconds, ...seen } = control!.seconds;
    const pass = (decoding: string) =>
      lines.find((line) =>
        line.phase === "control_eval" && line.budget === "seconds" &&
        line.decoding === decoding
      ) as { pass1: number };
    assert.deepEqual(seen, {
      sampled: pass("sampled").pass1,
      greedy: pass("greedy").pass1,
      steps: 10,
    });
    assert.ok(Math.abs(seconds! - 0.1) < 1e-9);
  }));

function isFinalGreedy(
  line: Metrics,
): line is Extract<Metrics, { phase: "eval" }> {
  return line.phase === "eval" && line.split === "test" &&
    line.decoding === "greedy" && line.step === 8;
}

for (const every of [1, 3]) {
  for (const at of [8, 9, 12, 18, 21]) {
    Deno.test(`train() gives the same run if it is killed at update ${at}, in a control, and resumed, saving every ${every}`, () =>
      inTempDir(async (dir) => {
        const sets = [...BOTH, `checkpoints.every=${every}`];
        const whole = await undisturbed(join(dir, "a"), sets);
        const onUpdate = (count: number) => {
          if (count === at) throw new Error("killed");
        };
        {
          await Deno.mkdir(join(dir, "b"));
          await using run = await newRun(join(dir, "b"), sets);
          await assert.rejects(go(run, { lab: { onUpdate } }), /killed/);
          assert.ok(run.metrics.some(isFinalGreedy));
        }
        await using run = await TrainingDir.resume(join(dir, "b", "run"));
        assert.equal((await go(run)).isComplete, true);
        assert.deepEqual(timeless(run.metrics), timeless(whole.lines));
        assert.deepEqual(episodesOf(run.path), episodesOf(whole.path));
        assert.deepEqual(await run.checkpoints(), [3, every === 1 ? 7 : 6, 8]);
      }));
  }
}

Deno.test("train() saves a control when it is aborted in it or its evaluation, and continues to the same end", () =>
  inTempDir(async (dir) => {
    const sets = [...BOTH, "checkpoints.every=100"];
    const whole = await undisturbed(join(dir, "a"), sets);
    await Deno.mkdir(join(dir, "b"));
    const path = join(dir, "b", "run");
    await (await newRun(join(dir, "b"), sets))[Symbol.asyncDispose]();
    const stops: ((activity: Activity) => boolean)[] = [
      ({ phase, step }) => phase === "control" && step === 3 + 4,
      ({ phase }) => phase === "control_eval",
      ({ phase, doing }) => phase === "control" && doing === "tokens",
    ];
    const saved: number[][] = [];
    for (const isStop of stops) {
      await using run = await TrainingDir.resume(path);
      const abort = new AbortController();
      const { isComplete, lab } = await go(run, {
        signal: abort.signal,
        onActivity: (activity) => isStop(activity) && abort.abort(),
      });
      assert.equal(isComplete, false);
      assert.equal((await run.checkpoints()).at(-1), 8);
      const file = join(run.checkpointPath(8), "policy/skill.json");
      const { skill } = JSON.parse(await Deno.readTextFile(file));
      assert.equal(lab.trainer.skill, skill);
      saved.push(await checkpointSteps(path, "control/seconds"));
    }
    assert.deepEqual(saved, [[4], [10], [10]]);
    await using run = await TrainingDir.resume(path);
    assert.equal((await go(run)).isComplete, true);
    assert.deepEqual(timeless(run.metrics), timeless(whole.lines));
  }));

Deno.test("train() trains a control again if RL was trained again", () =>
  inTempDir(async (dir) => {
    const { lines, path } = await undisturbed(dir);
    await Deno.remove(join(path, "checkpoints/8"), { recursive: true });
    await using run = await TrainingDir.resume(path);
    assert.deepEqual(controlLines(run.metrics), []);
    const { isComplete, lab } = await go(run);
    assert.equal(isComplete, true);
    assert.deepEqual(timeless(run.metrics), timeless(lines));
    assert.ok(lab.trainer.updates > controlLines(lines).length);
  }));

Deno.test("train() names a damaged checkpoint of a control, and the fix", () =>
  inTempDir(async (dir) => {
    const onUpdate = (count: number) => {
      if (count === 12) throw new Error("killed");
    };
    {
      await using run = await newRun(dir, BOTH);
      await assert.rejects(go(run, { lab: { onUpdate } }), /killed/);
    }
    const path = join(dir, "run");
    const damaged = join(path, "control/seconds/4");
    await Deno.writeTextFile(join(damaged, "skill.json"), "{");
    {
      await using run = await TrainingDir.resume(path);
      await assert.rejects(go(run), (error) => {
        assert.ok(error instanceof RunDirError);
        assert.match(
          String(error),
          /Cannot train the control.*checksum.*remove ".*control\/seconds\/4" and resume/,
        );
        return true;
      });
    }
    await Deno.remove(damaged, { recursive: true });
    await using run = await TrainingDir.resume(path);
    assert.equal((await go(run)).isComplete, true);
  }));

Deno.test("controlSchedule() warms up to its share of the peak and decays over the control's own steps", () => {
  const config = resolveConfig({
    name: "test",
    text: "coldStart: { learningRate: 0.004, warmupSteps: 10 }",
  });
  const schedule = controlSchedule(config, 200);
  assert.equal(learningRateAt(10, schedule), 0.002);
  assert.ok(Math.abs(learningRateAt(200, schedule) - 0.0001) < 1e-12);
  assert.equal(controlSchedule(config, 50).warmupSteps, 5);
});

Deno.test("controlSteps() rejects metrics without the cost of a step", () => {
  assert.throws(() => controlSteps([], "seconds"), (error) => {
    assert.ok(error instanceof TrainerError);
    assert.match(
      error.message,
      /metrics\.jsonl does not record how many seconds the cold-start steps took/,
    );
    return true;
  });
});

Deno.test("resolveConfig() rejects a control without cold start or RL, and invalid shares", () => {
  const resolve = (...sets: string[]) => () =>
    resolveConfig({ name: "test", text: "" }, sets.map(parseSet));
  const neither =
    /expected no control while coldStart.steps is 0 or both rft.steps and rl.steps are 0/;
  assert.throws(resolve("control.seconds=true", "coldStart.steps=0"), neither);
  assert.throws(resolve("control.tokens=true", "rl.steps=0"), neither);
  assert.doesNotThrow(resolve("coldStart.steps=0"));
  assert.throws(resolve("control.seconds=90"), /control.seconds .*boolean/);
  assert.throws(resolve("control.peakShare=0"), /control.peakShare/);
  assert.throws(resolve("control.finalShare=2"), /control.finalShare/);
  assert.throws(resolve("control.minutes=1"), /unknown key "control.minutes"/);
});

/**
 * The config of a run with the embedded trainer. Its control is limited by a number of tokens rather than seconds, so
 * that the result does not depend on the clock.
 */
const CPU: Config = resolveConfig({
  name: "tiny",
  text: JSON.stringify({
    ...TINY_CONFIG,
    coldStart: { steps: 2, batchSize: 1, warmupSteps: 1 },
    rl: { steps: 4, tasksPerStep: 6, groupSize: 4 },
    rollout: { maxTokensPerTurn: 8, maxTurns: 12 },
    control: { tokens: true },
  }),
});

Deno.test("runSession() gives the same run if it is killed in a control and resumed", () =>
  inTempDir(async (dir) => {
    const dataset = await openDataset(CPU.data);
    const start = (name: string) =>
      startRun(join(dir, name), { config: CPU, dataset });
    await using whole = await start("whole");
    const result = await runSession({ run: whole, dataset });
    assert.equal(result.outcome, "completed");
    const { tokens } = result.control!;
    assert.ok(tokens.sampled !== null && tokens.greedy !== null);
    assert.ok(tokens.seconds! > 0 && tokens.steps > 1);
    assert.equal(result.control!.seconds.seconds, null);
    {
      await using run = await start("killed");
      const onLine = (line: Metrics) => {
        if (line.phase === "control") throw new Error("killed");
      };
      await assert.rejects(runSession({ run, dataset, onLine }), /killed/);
    }
    await using run = await TrainingDir.resume(join(dir, "killed"));
    await runSession({ run, dataset });
    assert.deepEqual(timeless(run.metrics), timeless(whole.metrics));
    const weights = (path: string) =>
      Deno.readFile(join(path, "policy/weights.f32"));
    assert.deepEqual(
      await weights(run.checkpointPath(6)),
      await weights(whole.checkpointPath(6)),
    );
    const svg = await Deno.readTextFile(join(run.path, "curve.svg"));
    assert.ok(svg.includes("control (tokens) pass^1, greedy"));
  }));
