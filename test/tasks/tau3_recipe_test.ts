import assert from "node:assert/strict";
import { join } from "node:path";
import { openDataset } from "../../train/config/open_dataset.ts";
import { parseSet, resolveConfig } from "../../train/config/config.ts";
import { readRecipe } from "../../tasks/_recipes.ts";
import { runSession, startRun } from "../../train/session.ts";
import { NO_TAU3_BENCH, TAU3_BENCH } from "../support/tau3_bench.ts";
import { runTask } from "../support/task_process.ts";
import { inTempDir } from "../support/temp_dir.ts";

/** The smallest sizes at which the recipe still runs every phase. */
const TINY = [
  "model.dim=32",
  "model.layers=1",
  "model.heads=2",
  "model.hidden=64",
  "coldStart.steps=4",
  "coldStart.batchSize=4",
  "coldStart.warmupSteps=1",
  "rl.steps=2",
  "rl.tasksPerStep=3",
  "rl.groupSize=2",
  "rollout.maxTokensPerTurn=16",
  "eval.testTasks=2",
  "eval.testTrials=1",
  "threads=1",
];

/** The expected numbers of demonstrations and of train tasks with wrong gold actions, keyed by domain. */
const SHOWN = { retail: [72, 2], airline: [29, 1] };

for (const domain of ["retail", "airline"] as const) {
  Deno.test({
    name:
      `the recipe of τ³-bench trains on ${domain} through every phase, with the stand-in judge`,
    ignore: NO_TAU3_BENCH,
    fn: () =>
      inTempDir(async (dir) => {
        const config = resolveConfig(await readRecipe("tau3-bench"), [
          ...TINY.map(parseSet),
          parseSet(`data.domain=${domain}`),
          parseSet(`data.directory=${TAU3_BENCH}`),
        ]);
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
        assert.deepEqual(shown, [...SHOWN[domain], 0]);
        const lines = run.metrics;
        assert.deepEqual(
          [...new Set(lines.map(({ phase }) => phase))].sort(),
          ["cold_start", "eval", "rl"],
        );
        const losses = lines.flatMap((line) =>
          line.phase === "cold_start" ? [line.loss] : []
        );
        assert.ok(losses.at(-1)! < losses[0]!);
        const failures = lines.flatMap((line) =>
          line.phase === "rl" ? Object.keys(line.failures) : []
        );
        assert.deepEqual(failures, [], "each episode has a reward");
      }),
  });
}

Deno.test("train --data tau3-bench uses its recipe and the directory from the flag", async () => {
  const { code, stdout, stderr } = await runTask("train", [
    ...["--data", "tau3-bench", "--tau3-bench", "bundle", "--env", "airline"],
    "--print-config",
  ]);
  assert.equal(code, 0, stderr);
  const { data, rollout } = resolveConfig({ name: "printed", text: stdout });
  assert.deepEqual(
    [data.source, data.domain, data.rows.trainTasks, rollout.maxTurns],
    ["tau3-bench", "airline", 0, 40],
  );
  assert.match(data.directory ?? "", /bundle$/);
});
