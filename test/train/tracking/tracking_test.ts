import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../../env/errors.ts";
import { readRun } from "../../../train/runs/training_dir.ts";
import { pointOf } from "../../../train/tracking/metrics_journal.ts";
import { mlflow } from "../../../train/tracking/mlflow.ts";
import {
  trackersIn,
  trackingSchema,
} from "../../../train/tracking/tracking_schema.ts";
import { settingsOf } from "../../../train/tracking/settings.ts";
import { timeless } from "../../support/lab.ts";
import { freePort, trackedRun } from "../../support/trackers.ts";
import { inTempDir } from "../../support/temp_dir.ts";

Deno.test("pointOf() names each number of a line by its source and path", () => {
  const point = pointOf({
    schemaVersion: 2,
    step: 4,
    phase: "eval",
    split: "test",
    decoding: "greedy",
    tasks: 2,
    trials: 2,
    passK: [1, NaN],
    pass1: 1,
    passByIntent: { cancel: 0.5 },
    episodes: 4,
    failures: {},
    stopReasons: {},
    lengths: { turns: 1, tokens: 2, sampledTokens: 3 },
    parseErrors: 0,
    timing: { seconds: { total: 2 } },
  });
  assert.equal(point.step, 4);
  assert.deepEqual(
    [...point.values].filter(([name]) => /pass|total/.test(name)),
    [
      ["eval/test/greedy/passK/1", 1],
      ["eval/test/greedy/pass1", 1],
      ["eval/test/greedy/passByIntent/cancel", 0.5],
      ["eval/test/greedy/timing/seconds/total", 2],
    ],
  );
});

Deno.test("settingsOf() returns a config's keys by their paths", () => {
  assert.deepEqual(
    [...settingsOf({ a: { b: 1, c: [1, "x"] }, d: null, e: true })],
    [["a.b", 1], ["a.c", '[1,"x"]'], ["d", "null"], ["e", true]],
  );
});

Deno.test("a config enables no tracker by default", () => {
  assert.deepEqual(trackersIn(trackingSchema.parse({})), []);
});

Deno.test("mlflow() explains how to set its server", () => {
  const config = trackingSchema.parse({ mlflow: true });
  assert.throws(() => mlflow(config, () => undefined), ConfigError);
  assert.throws(
    () => mlflow(config, () => "file:///runs"),
    /must start with http: or https:, but it is "file:/,
  );
});

Deno.test("a run is unaffected if its tracker is down, and reports what is missing", () =>
  inTempDir(async (dir) => {
    const paths = ["with", "without"].map((name) => join(dir, name));
    const mlflowUrl = `http://127.0.0.1:${freePort()}`;
    const tracked = await trackedRun(paths[0]!, { mlflow: true, mlflowUrl });
    await trackedRun(paths[1]!, {});
    const [report] = tracked.trackers;
    assert.equal(tracked.outcome, "completed");
    assert.equal(report?.sent, 0);
    assert.equal(report?.isWhole, false);
    assert.ok(report.failures > 0);
    assert.match(report.failure ?? "", /MLflow at .* cannot be reached/);
    const [one, other] = await Promise.all(paths.map(readRun));
    assert.deepEqual(timeless(one!.lines), timeless(other!.lines));
  }));
