import assert from "node:assert/strict";
import {
  bundleRecords,
  bundleWorld,
  goldActions,
  NO_BUNDLE,
  replayRecord,
} from "../../../support/bundle_replay.ts";
import { at, objectsAt } from "../../../support/telecom_world.ts";

const NEEDS = { ignore: NO_BUNDLE };

Deno.test(
  "τ³'s airline answers every recorded call as the original, with its hash after it",
  NEEDS,
  () => {
    const world = bundleWorld("airline");
    const records = bundleRecords("fuzz", "airline");
    assert.ok(records.length > 100);
    const differences = records.flatMap((record) =>
      replayRecord(world, record, objectsAt(record, "steps"))
    );
    assert.deepEqual(differences.slice(0, 20), []);
  },
);

Deno.test(
  "τ³'s airline changes its database by gold actions as recorded",
  NEEDS,
  () => {
    const world = bundleWorld("airline");
    const actions = goldActions("airline");
    const records = bundleRecords("gold", "airline");
    assert.ok(records.length > 10);
    const differences = records.flatMap((record) => {
      assert.equal(world.hash, at(record, "init", "db"));
      const calls = actions.get(String(record.get("task_id")))!;
      return replayRecord(world, record, calls);
    });
    assert.deepEqual(differences.slice(0, 20), []);
  },
);
