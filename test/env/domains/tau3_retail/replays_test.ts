import assert from "node:assert/strict";
import { bundleWorld, replayRecord } from "../../../support/bundle_replay.ts";
import { NO_TAU3_BENCH, tau3Records } from "../../../support/tau3_bench.ts";
import { objectsAt } from "../../../support/telecom_world.ts";

Deno.test(
  "τ³-bench's retail matches the original's recorded answers and state hashes",
  { ignore: NO_TAU3_BENCH },
  async () => {
    const world = bundleWorld("retail");
    const records = await tau3Records("fuzz_retail");
    assert.ok(records.length > 100);
    const differences = records.flatMap((record) =>
      replayRecord(world, record, objectsAt(record, "steps"))
    );
    assert.deepEqual(differences.slice(0, 20), []);
  },
);
