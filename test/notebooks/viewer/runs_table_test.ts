import assert from "node:assert/strict";
import { join } from "node:path";
import {
  differingTasks,
  passAt,
} from "../../../notebooks/viewer/page/comparison.js";
import {
  matchingRuns,
  sortedRuns,
} from "../../../notebooks/viewer/page/runs_table.js";
import type {
  RunSummary,
  TaskScore,
} from "../../../notebooks/viewer/protocol.ts";
import { RunSource } from "../../../notebooks/viewer/run_source.ts";
import { UNKNOWN_RUN } from "../../../notebooks/viewer/viewer_source.ts";
import { writeBigRun } from "../../support/big_run.ts";
import { writeFailedRun } from "../../support/failed_run.ts";
import { inTempDir } from "../../support/temp_dir.ts";

function runs(...some: Partial<RunSummary>[]): RunSummary[] {
  return some.map((one, i) => ({
    ...UNKNOWN_RUN,
    id: `r${i}`,
    path: `runs/r${i}`,
    ...one,
  }));
}

Deno.test("sortedRuns() sorts numbers and names in both directions, with runs without a value last", () => {
  const all = runs({ pass1: 0.5 }, {}, { pass1: 0.9 }, { pass1: 0 });
  const ids = (sort: string) => sortedRuns(all, sort).map(({ id }) => id);
  assert.deepEqual(ids("pass1"), ["r3", "r0", "r2", "r1"]);
  assert.deepEqual(ids("-pass1"), ["r2", "r0", "r3", "r1"]);
  const named = runs({ model: "m10" }, { model: "m9" }, { model: null });
  assert.deepEqual(sortedRuns(named, "model").map(({ id }) => id), [
    "r1",
    "r0",
    "r2",
  ]);
});

Deno.test("matchingRuns() keeps the runs with every word in their name, state, world, agent or model", () => {
  const all = runs(
    { world: "generated retail", agent: "react", model: "Qwen/Qwen3-4B" },
    { world: "generated airline", agent: "react" },
    { outcome: "completed", kind: "evaluate" },
  );
  const ids = (query: string) => matchingRuns(all, query).map(({ id }) => id);
  assert.deepEqual(ids("  "), ["r0", "r1", "r2"]);
  assert.deepEqual(ids("REACT generated"), ["r0", "r1"]);
  assert.deepEqual(ids("qwen3"), ["r0"]);
  assert.deepEqual(ids("completed evaluate"), ["r2"]);
  assert.deepEqual(ids("react completed"), []);
});

function scores(all: Record<string, [number, number]>): TaskScore[] {
  return Object.entries(all)
    .map(([task, [solved, scored]]) => ({
      ...{ task, solved, scored, step: 0, reasons: null },
    }));
}

Deno.test("passAt() returns the mean share of k-subsets of episodes that are all solved", () => {
  const tasks = scores({ a: [4, 4], b: [2, 4], c: [0, 4] });
  assert.equal(passAt(tasks, 1), 0.5);
  assert.equal(passAt(tasks, 2), (1 + 1 / 6 + 0) / 3);
  assert.equal(passAt(tasks, 4), 1 / 3);
  assert.equal(passAt(tasks, 5), null);
});

Deno.test("differingTasks() returns the common tasks that are solved unequally often, largest difference first", () => {
  const of = (all: Record<string, [number, number]>) =>
    new Map(scores(all).map((one) => [one.task, one]));
  assert.deepEqual(
    differingTasks([
      of({ a: [1, 2], b: [0, 2], c: [2, 2], mine: [0, 2] }),
      of({ a: [2, 2], b: [4, 4], c: [2, 2], theirs: [1, 1] }),
    ]),
    { differing: ["b", "a"], common: 3 },
  );
});

Deno.test("RunSource has a run's world, agent, model and config, and of an evaluation its tasks", () =>
  inTempDir(async (dir) => {
    await writeBigRun(join(dir, "t"));
    using trained = new RunSource(join(dir, "t"), { find: () => [] });
    const training = await trained.view();
    const { world, agent, model } = training.run;
    assert.deepEqual([world, agent], ["generated retail", "tool-calling"]);
    assert.match(model ?? "", /^own policy, \d+ × \d+$/);
    assert.match(training.config ?? "", /^ +trainTasks: 48$/m);
    assert.equal(training.tasks, null);
    await writeFailedRun(join(dir, "e"));
    using evaluated = new RunSource(join(dir, "e"), { find: () => [] });
    const { run, tasks } = await evaluated.view();
    assert.equal(run.agent, "expert");
    assert.deepEqual(tasks?.map(({ solved, scored }) => [solved, scored]), [
      [1, 1],
      [1, 1],
      [0, 1],
      [0, 1],
      [0, 1],
      [0, 0],
    ]);
    await Deno.writeTextFile(join(dir, "e", "config.yaml"), "a: [");
    const damaged = await evaluated.view();
    assert.deepEqual([damaged.run.agent, damaged.config], [null, "a: ["]);
  }));
