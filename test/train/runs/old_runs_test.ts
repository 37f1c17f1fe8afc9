import assert from "node:assert/strict";
import { join } from "node:path";
import { readQuery } from "../../../notebooks/viewer/page/filter.js";
import { ResultsSource } from "../../../notebooks/viewer/results_source.ts";
import { RunSource } from "../../../notebooks/viewer/run_source.ts";
import { openDataset } from "../../../train/config/open_dataset.ts";
import { reportOf } from "../../../train/evaluation/evaluate.ts";
import {
  EvaluationDir,
  readEvaluation,
} from "../../../train/evaluation/evaluation_dir.ts";
import { METRICS_VERSION } from "../../../train/runs/metrics.ts";
import { openRunPolicy, readAnyRun } from "../../../train/mod.ts";
import { readEpisodeRows } from "../../../train/runs/read_episode_rows.ts";
import { openRunEpisodes } from "../../../train/runs/run_episodes.ts";
import { readRun, TrainingDir } from "../../../train/runs/training_dir.ts";
import { runSession } from "../../../train/session.ts";
import { linesAfterStop, unpackOldRun } from "../../support/old_runs.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const ALL = readQuery(new URLSearchParams());

/**
 * Removes the values that depend on the clock, and updates the version and the phase, whose values have changed since
 * the recording.
 */
function figures(lines: readonly object[]): unknown[] {
  return lines.map((line) => ({
    ...line,
    ...("phase" in line && line.phase === "grpo" ? { phase: "rl" } : {}),
    schemaVersion: METRICS_VERSION,
    timing: null,
  }));
}

Deno.test("an old training run opens: config, lines, episodes, policy", () =>
  inTempDir(async (dir) => {
    const path = await unpackOldRun("old_training", dir);
    const run = await readRun(path);
    assert.equal(run.config.seed, 3);
    assert.equal(run.config.coldStart.steps, 150);
    assert.equal(run.info.outcome, "interrupted");
    assert.deepEqual(await readAnyRun(path), run);
    assert.equal(run.lines.length, 158);
    const lines = figures(run.lines.filter(({ step }) => step > 150));
    assert.deepEqual(
      lines.map((line) => (line as { phase: string }).phase),
      ["rl", "rl", "rl", "eval", "rl"],
    );

    using episodes = await openRunEpisodes(path);
    const all = episodes.list();
    assert.equal(all.length, 52);
    assert.equal(all.flatMap((episode) => episode.turns()).length, 281);

    await using policy = await openRunPolicy(run);
    assert.equal(policy.step, 154);
  }));

Deno.test("an old training run's rows are unchanged", () =>
  inTempDir(async (dir) => {
    const rows = await readEpisodeRows(
      await unpackOldRun("old_training", dir),
    );
    const sum = (values: readonly (number | null)[]) =>
      values.reduce<number>((total, value) => total + (value ?? 0), 0);
    const bySource = [...Map.groupBy(rows, ({ source }) => source)]
      .map(([source, of]) => ({
        source: source === "grpo" ? "rl" : source,
        episodes: of.length,
        solved: sum(of.map(({ reward }) => reward)),
        tokens: sum(of.map(({ token_count }) => token_count)),
      }));
    assert.deepEqual(bySource, [
      { source: "eval/test/sampled", episodes: 1, solved: 0, tokens: 752 },
      { source: "eval/test/greedy", episodes: 1, solved: 0, tokens: 623 },
      { source: "eval/dev/sampled", episodes: 2, solved: 0, tokens: 246 },
      { source: "rl", episodes: 48, solved: 44, tokens: 23009 },
    ]);
    const { reward_database, stop_reason, reason, failure } = rows[6]!;
    assert.deepEqual(
      { reward_database, stop_reason, reason, failure },
      {
        reward_database: 1,
        stop_reason: "user_stop",
        reason: null,
        failure: null,
      },
    );
  }));

Deno.test("an old training run resumes to the same figures as an uninterrupted one", () =>
  inTempDir(async (dir) => {
    const path = await unpackOldRun("old_training", dir);
    {
      await using run = await TrainingDir.resume(path);
      const dataset = await openDataset(run.config.data);
      assert.equal(dataset.fingerprint, run.info.dataset.fingerprint);
      const { signal } = new AbortController();
      const result = await runSession({ run, dataset, signal });
      assert.equal(result.outcome, "completed");
    }
    const { lines, info } = await readRun(path);
    const added = lines.filter(({ step }) => step > 154);
    assert.deepEqual(figures(added), figures(await linesAfterStop()));
    assert.equal(info.outcome, "completed");
    assert.equal(info.sessions.length, 2);
    assert.equal((await readEpisodeRows(path)).length, 70);
  }));

Deno.test("an old evaluation opens and reports what it did", () =>
  inTempDir(async (dir) => {
    const path = await unpackOldRun("old_evaluation", dir);
    const { config, info } = await readEvaluation(path);
    assert.equal(config.trials, 2);
    assert.equal((await readAnyRun(path)).info.kind, "evaluate");
    const dataset = await openDataset(config.data);
    assert.equal(dataset.fingerprint, info.dataset.fingerprint);
    await using evaluation = await EvaluationDir.resume(path);
    const report = reportOf(evaluation, dataset);
    assert.equal(report.scored, 6);
    assert.deepEqual(report.passK.map(({ value }) => value), [1, 1]);
    const rows = await readEpisodeRows(path);
    assert.deepEqual(rows.map(({ trial }) => trial).sort(), [0, 0, 0, 1, 1, 1]);
  }));

Deno.test("the viewer shows old runs and an old result file", () =>
  inTempDir(async (dir) => {
    const find = () => [];
    const training = await unpackOldRun("old_training", dir);
    const evaluation = await unpackOldRun("old_evaluation", dir);
    for (const path of [training, evaluation]) {
      using source = new RunSource(path, { find });
      assert.equal((await source.view()).run.error, null, path);
      const { rows } = await (await source.index())
        .page(ALL, { offset: 0, limit: 500 });
      assert.ok(rows.length > 0, path);
      const episode = await source.episode(rows[0]!.id);
      assert.ok(episode.messages.length > 0, path);
    }
    using file = new ResultsSource(
      join(evaluation, "tau_bench_results.json"),
      { find },
    );
    const { run } = await file.view();
    assert.deepEqual([run.episodes, run.reward], [6, 1]);
    assert.equal((await file.episode(1)).row.reward, 1);
  }));
