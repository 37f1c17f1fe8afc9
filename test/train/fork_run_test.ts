import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError, RunDirError } from "../../env/errors.ts";
import { parseSet, resolveConfig } from "../../train/config/config.ts";
import { forkRun } from "../../train/fork_run.ts";
import { train } from "../../train/loop.ts";
import { readRun, TrainingDir } from "../../train/runs/training_dir.ts";
import { startRun } from "../../train/session.ts";
import { fakeLab } from "../support/lab.ts";
import { inTempDir } from "../support/temp_dir.ts";

function configOf(...sets: string[]) {
  const text = `
coldStart: { steps: 3, batchSize: 4, learningRate: 0.01, warmupSteps: 1 }
rl: { steps: 4, tasksPerStep: 4, groupSize: 4, learningRate: 0.01, klCoef: 0.1 }
eval: { every: 2, tasks: 4, testTrials: 2 }
`;
  return resolveConfig({ name: "test", text }, sets.map(parseSet));
}

const dataset = { name: "fake", fingerprint: "f" };

/** Trains a new run to its end. */
async function trained(path: string, ...sets: string[]) {
  await using run = await startRun(path, {
    config: configOf(...sets),
    dataset,
  });
  assert.equal(await train({ run, lab: fakeLab() }), true);
}

async function linesOf(path: string) {
  const { lines } = await readRun(path);
  return lines.map((line) => ({ ...line, timing: null }));
}

Deno.test("forkRun() creates a run that reaches the figures of a run with its own cold start", () =>
  inTempDir(async (dir) => {
    const [whole, start, fork] = ["whole", "start", "fork"].map((name) =>
      join(dir, name)
    ) as [string, string, string];
    await trained(whole);
    await trained(start, "rl.steps=0");
    await forkRun(start, { to: fork, config: configOf() });
    const before = await linesOf(fork);
    assert.deepEqual(before, await linesOf(start));
    {
      await using run = await TrainingDir.resume(fork);
      const lab = fakeLab();
      assert.equal(await train({ run, lab }), true);
      assert.equal(lab.trainer.updates, 4, "RL alone");
      assert.equal(lab.trainer.references, 1);
    }
    assert.deepEqual(await linesOf(fork), await linesOf(whole));
    assert.deepEqual(await linesOf(start), before);
  }));

Deno.test("forkRun() accepts a run that has continued after its cold start", () =>
  inTempDir(async (dir) => {
    const [whole, fork] = [join(dir, "whole"), join(dir, "fork")];
    await trained(whole);
    await forkRun(whole, { to: fork, config: configOf("rl.groupSize=5") });
    assert.deepEqual(
      (await linesOf(fork)).map(({ step }) => step),
      [1, 2, 3, 3, 3, 3],
    );
    assert.equal((await readRun(fork)).config.rl.groupSize, 5);
  }));

Deno.test("forkRun() does not copy controls", () =>
  inTempDir(async (dir) => {
    const [start, fork] = [join(dir, "start"), join(dir, "fork")];
    const sets = ["rft.steps=1", "rft.updates=1", "control.tokens=true"];
    await trained(start, "rl.steps=0", ...sets);
    const phases = async (path: string) =>
      new Set((await linesOf(path)).map(({ phase }) => phase));
    assert.ok((await phases(start)).has("control"));
    await forkRun(start, { to: fork, config: configOf(...sets) });
    assert.deepEqual(
      await phases(fork),
      new Set(["cold_start", "eval", "rft"]),
    );
  }));

Deno.test("forkRun() rejects another cold start, a missing checkpoint, and an existing target", () =>
  inTempDir(async (dir) => {
    const start = join(dir, "start");
    const to = join(dir, "fork");
    await trained(start, "rl.steps=0");
    await assert.rejects(
      forkRun(start, { to, config: configOf("coldStart.batchSize=5") }),
      {
        name: "ConfigError",
        message:
          /coldStart.batchSize is 4 in its config, but 5 in the new config/,
      },
    );
    await forkRun(start, { to, config: configOf() });
    await assert.rejects(
      forkRun(start, { to, config: configOf() }),
      ConfigError,
    );
    await Deno.remove(join(start, "checkpoints"), { recursive: true });
    await assert.rejects(
      forkRun(start, { to: join(dir, "other"), config: configOf() }),
      RunDirError,
    );
  }));
