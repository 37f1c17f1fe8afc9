import assert from "node:assert/strict";
import { join } from "node:path";
import {
  pairedDifference,
  showConfigDifference,
} from "../../../notebooks/lib/compare_runs.ts";
import {
  showDecisiveCounts,
  showDiagnosed,
  showRunEpisode,
} from "../../../notebooks/lib/decisive_errors.ts";
import {
  groupsOf,
  passOf,
  reasonCounts,
  rewardBy,
  waysToEnd,
} from "../../../notebooks/lib/rewards.ts";
import { Run } from "../../../notebooks/lib/run.ts";
import { trimRun } from "../../../notebooks/lib/trim.ts";
import { diagnoseFailed } from "../../../train/diagnosis/diagnose_run.ts";
import { readRun } from "../../../train/runs/training_dir.ts";
import { writeBigRun } from "../../support/big_run.ts";
import { writeFailedRun } from "../../support/failed_run.ts";
import { inTempDir } from "../../support/temp_dir.ts";

/**
 * Calls `body` with an evaluation of six episodes: two are solved, three have failed, and one has an infrastructure
 * failure.
 */
async function withFailedRun(body: (run: Run) => Promise<void> | void) {
  await inTempDir(async (dir) => {
    await writeFailedRun(join(dir, "failed"));
    using run = await Run.open(join(dir, "failed"));
    await body(run);
  });
}

/** Calls `body` with a training run that has groups of eight episodes, and with the directory that contains the run. */
async function withTrainingRun(
  body: (run: Run, dir: string) => Promise<void> | void,
) {
  await inTempDir(async (dir) => {
    await writeBigRun(join(dir, "big"));
    using run = await Run.open(join(dir, "big"));
    await body(run, dir);
  });
}

Deno.test("Run.open() reads an evaluation as well as a training run", async () => {
  await withFailedRun((run) => {
    assert.equal(run.episodes().length, 6);
    assert.deepEqual(run.lines, []);
    assert.equal(run.trajectory(run.episodes()[0]!), null);
    assert.match(run.show().text, /^failed: .* completed\n/);
  });
  await withTrainingRun((run) => {
    assert.ok(run.lines.length > 0);
    assert.equal(run.episodes({ step: 2 }).length, 48);
    const last = run.lastEpisodes("rl");
    assert.deepEqual([...new Set(last.map(({ record }) => record.step))], [8]);
    assert.deepEqual(run.lastEpisodes("eval/test/sampled"), []);
  });
});

Deno.test("rewardBy() excludes infrastructure failures and counts every other episode once", async () => {
  await withFailedRun((run) => {
    const rows = rewardBy(run.episodes(), ({ task }) => task.intent ?? "?");
    assert.equal(rows.reduce((sum, row) => sum + row.episodes, 0), 5);
    const solved = rows.reduce((sum, row) => sum + row.value * row.episodes, 0);
    assert.ok(Math.abs(solved - 2) < 1e-9);
    for (const { low, value, high } of rows) {
      assert.ok(low <= value && value <= high);
    }
    assert.equal(passOf(run.episodes())[0]?.value, 2 / 5);
  });
});

Deno.test("reasonCounts() lists infrastructure failures separately; waysToEnd() sums to 1", async () => {
  await withFailedRun((run) => {
    const reasons = reasonCounts(run.episodes());
    assert.equal(reasons.reduce((sum, row) => sum + row.episodes, 0), 4);
    assert.ok(
      reasons.some(({ reason }) => reason === "infrastructure: timeout"),
    );
    const ends = waysToEnd(run.episodes(), () => "all");
    assert.equal(ends[0]?.kind, "solved");
    assert.equal(ends[0]?.share, 2 / 6);
    const total = ends.reduce((sum, { share }) => sum + share, 0);
    assert.ok(Math.abs(total - 1) < 1e-9);
  });
});

Deno.test("groupsOf() groups the episodes of one task and step", async () => {
  await withTrainingRun((run) => {
    const groups = groupsOf(run.episodes());
    assert.equal(groups.length, 48);
    const scored = run.episodes().filter(({ record }) =>
      record.reward !== null
    );
    assert.equal(
      groups.flatMap(({ rewards }) => rewards).length,
      scored.length,
    );
    for (const { rewards, variance } of groups) {
      // Episodes with infrastructure failures are in no group.
      assert.ok(rewards.length <= 8);
      assert.equal(variance === 0, new Set(rewards).size === 1);
    }
  });
});

Deno.test("diagnoseFailed() finds why each episode failed, and its first decisive error", async () => {
  await withFailedRun((run) => {
    const diagnosed = diagnoseFailed(run, run.episodes());
    assert.equal(diagnosed.length, 4);
    const counts = showDecisiveCounts(diagnosed).text;
    assert.match(counts, /infrastructure +1/);
    const lines = showDiagnosed(diagnosed).text.split("\n");
    assert.equal(lines.length, 2 + 4);
    assert.match(lines.join("\n"), /the end: never called/);
    const shown = showRunEpisode(run, diagnosed[0]!.episode);
    assert.match(shown.text, /user: /);
    assert.match(shown.text, /first decisive error/);
  });
});

Deno.test("pairedDifference() of a run with itself is 0, with an interval of width 0", async () => {
  await withTrainingRun((run) => {
    const all = run.episodes();
    const { tasks, value, low, high } = pairedDifference(all, all);
    assert.deepEqual([value, low, high], [0, 0, 0]);
    assert.equal(tasks, new Set(all.map(({ task }) => task.id)).size);
    const solved = all.filter(({ record }) => record.reward === 1);
    const gain = pairedDifference(all, solved);
    assert.ok(gain.value > 0 && gain.low > 0 && gain.high >= gain.value);
    assert.ok(Number.isNaN(pairedDifference(all, []).value));
  });
});

Deno.test("showConfigDifference() shows only the keys that differ", async () => {
  await withTrainingRun(async (run, dir) => {
    await trimRun(run.path, join(dir, "other"));
    const path = join(dir, "other", "config.yaml");
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace(/^seed: \d+/m, "seed: 77"));
    using other = await Run.open(join(dir, "other"));
    assert.equal((await showConfigDifference(run, run)).text, "no rows");
    assert.match(
      (await showConfigDifference(run, other)).text,
      /^key +big +other\n[─ ]+\nseed +1 +77$/,
    );
  });
});

Deno.test("trimRun() keeps whole groups, their rewards and conversations, and all metrics", async () => {
  await withTrainingRun(async (run, dir) => {
    const small = join(dir, "small");
    await trimRun(run.path, small, { steps: 3, groups: 2 });
    using trimmed = await Run.open(small);
    const groups = groupsOf(trimmed.episodes());
    assert.deepEqual(groups.map(({ step }) => step), [1, 1, 5, 5, 8, 8]);
    const whole = new Map(run.episodes().map((one) => [one.record.id, one]));
    for (const episode of trimmed.episodes()) {
      const before = whole.get(episode.record.id)!;
      assert.deepEqual(episode.record, before.record);
      assert.deepEqual(episode.turns(), before.turns());
      assert.equal(episode.messages(), before.messages());
    }
    assert.deepEqual(
      (await readRun(small)).lines,
      (await readRun(run.path)).lines,
    );
    const names = (await Array.fromAsync(Deno.readDir(small)))
      .map(({ name }) => name).sort();
    // Without a write-ahead log, the database opens on read-only file systems.
    assert.deepEqual(
      names.filter((name) => name.startsWith("episodes.db")),
      ["episodes.db"],
    );
    await assert.rejects(
      () => trimRun(run.path, small),
      /already exists; remove it/,
    );
  });
});

Deno.test("trimRun() refuses a run that is not finished", async () => {
  await inTempDir(async (dir) => {
    await writeBigRun(join(dir, "big"), { completed: false });
    await assert.rejects(
      () => trimRun(join(dir, "big"), join(dir, "small")),
      { name: "ConfigError", hint: /complete the training/ },
    );
  });
});
