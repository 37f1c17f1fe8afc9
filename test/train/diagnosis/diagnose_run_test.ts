import assert from "node:assert/strict";
import { join } from "node:path";
import { InfrastructureError } from "../../../env/errors.ts";
import {
  diagnoseFailed,
  judgeAll,
} from "../../../train/diagnosis/diagnose_run.ts";
import type { Diagnosed } from "../../../train/diagnosis/diagnosis_report.ts";
import { openRunEpisodes } from "../../../train/runs/run_episodes.ts";
import { answeringModel } from "../../support/chat_models.ts";
import { writeFailedRun } from "../../support/failed_run.ts";
import { inTempDir } from "../../support/temp_dir.ts";

/** Calls `body` with the four failed episodes of a run, one of which has an infrastructure failure. */
async function withDiagnosed(
  body: (diagnosed: readonly Diagnosed[]) => Promise<void>,
): Promise<void> {
  await inTempDir(async (dir) => {
    await writeFailedRun(join(dir, "failed"));
    using run = await openRunEpisodes(join(dir, "failed"));
    await body(diagnoseFailed(run, run.list()));
  });
}

const BLAME = '{"fault": "agent", "kind": "other", "why": "it left"}';

Deno.test("diagnoseFailed() returns the results so far when it is aborted", () =>
  inTempDir(async (dir) => {
    await writeFailedRun(join(dir, "failed"));
    using run = await openRunEpisodes(join(dir, "failed"));
    const controller = new AbortController();
    const some = diagnoseFailed(run, run.list(), {
      signal: controller.signal,
      onEpisode: () => controller.abort(),
    });
    assert.equal(some.length, 1);
  }));

Deno.test("judgeAll() skips infrastructure failures, and keeps the order", () =>
  withDiagnosed(async (diagnosed) => {
    const model = answeringModel(() => BLAME);
    let seen = 0;
    const all = await judgeAll(diagnosed, {
      model,
      concurrency: 2,
      onEpisode: () => seen++,
    });
    assert.equal(seen, 4);
    assert.equal(model.asked.length, 3);
    assert.deepEqual(
      all.map(({ episode }) => episode.record.id),
      diagnosed.map(({ episode }) => episode.record.id),
    );
    for (const { diagnosis: { fault }, verdict } of all) {
      assert.equal(verdict === undefined, fault?.by === "infrastructure");
    }
  }));

Deno.test("judgeAll() has no verdict if the judge cannot be reached, and rethrows bugs", () =>
  withDiagnosed(async (diagnosed) => {
    const failing = (error: Error) => ({
      concurrency: 4,
      model: answeringModel(() => {
        throw error;
      }),
    });
    const gone = new InfrastructureError("gone", {
      kind: "connection",
      source: "model",
    });
    const all = await judgeAll(diagnosed, failing(gone));
    assert.equal(all.filter(({ verdict }) => verdict === null).length, 3);
    await assert.rejects(
      judgeAll(diagnosed, failing(new TypeError("bug"))),
      TypeError,
    );
  }));

Deno.test("judgeAll() calls no model after it is aborted", () =>
  withDiagnosed(async (diagnosed) => {
    const model = answeringModel(() => BLAME);
    const all = await judgeAll(diagnosed, {
      model,
      concurrency: 2,
      signal: AbortSignal.abort(),
    });
    assert.deepEqual(all, diagnosed);
    assert.equal(model.asked.length, 0);
  }));
