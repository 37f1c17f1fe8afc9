import assert from "node:assert/strict";
import { join } from "node:path";
import { openDataset } from "../../train/config/open_dataset.ts";
import { parseSet, resolveConfig } from "../../train/config/config.ts";
import { readRecipe } from "../../tasks/_recipes.ts";
import { runSession, startRun } from "../../train/session.ts";
import { inTempDir } from "../support/temp_dir.ts";

/** The smallest sizes at which the recipe still runs every phase. */
const TINY = [
  "data.world.tasks=40",
  "model.dim=32",
  "model.layers=1",
  "model.heads=2",
  "model.hidden=64",
  "model.contextLength=1024",
  "coldStart.demonstrations=12",
  "coldStart.steps=3",
  "coldStart.batchSize=4",
  "rft.steps=1",
  "rft.tasksPerStep=2",
  "rft.updates=1",
  "rl.steps=1",
  "rl.tasksPerStep=2",
  "rl.groupSize=2",
  "rl.maxRefills=0",
  "rollout.maxTokensPerTurn=16",
  "eval.tasks=2",
  "eval.testTasks=2",
  "eval.testTrials=1",
  "threads=1",
];

Deno.test("the telecom recipe trains through every phase, with users who have tools", () =>
  inTempDir(async (dir) => {
    const recipe = await readRecipe("telecom");
    const config = resolveConfig(recipe, TINY.map(parseSet));
    const dataset = await openDataset(config.data);
    await using run = await startRun(join(dir, "run"), { config, dataset });
    const shown: number[] = [];
    const { outcome } = await runSession({
      run,
      dataset,
      onLab: ({ demonstrations: { sequences, unsolved, tooLong } }) => {
        shown.push(sequences.length, unsolved, tooLong);
      },
    });
    assert.equal(outcome, "completed");
    assert.deepEqual(shown, [12, 0, 0]);
    const phases = run.metrics.map(({ phase }) => phase);
    assert.deepEqual(
      [...new Set(phases)].sort(),
      ["cold_start", "eval", "rft", "rl"],
    );
    const losses = run.metrics.flatMap((line) =>
      line.phase === "cold_start" ? [line.loss] : []
    );
    assert.ok(losses.at(-1)! < losses[0]!);
  }));
