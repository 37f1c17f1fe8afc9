import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { readRun } from "../../../train/runs/training_dir.ts";
import { crc32c, tfRecord } from "../../../train/tracking/tf_record.ts";
import { askTool, trackedRun, without } from "../../support/trackers.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const seenSchema = z.object({
  scalars: z.record(z.string(), z.array(z.tuple([z.number(), z.number()]))),
  texts: z.record(z.string(), z.array(z.string())),
  settings: z.record(z.string(), z.unknown()),
  status: z.number(),
});

Deno.test("crc32c() has the check value of the algorithm", () => {
  assert.equal(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
});

Deno.test("tfRecord() frames data by length and two masked checksums", () => {
  const record = tfRecord(new Uint8Array([1, 2, 3]));
  assert.equal(record.length, 19);
  assert.equal(new DataView(record.buffer).getBigUint64(0, true), 3n);
  assert.deepEqual([...record.subarray(12, 15)], [1, 2, 3]);
});

Deno.test({
  name:
    "tracking.tensorboard writes curves, config, settings and episodes that TensorBoard reads (needs Python with tensorboard)",
  ignore: without("tensorboard"),
  fn: () =>
    inTempDir(async (dir) => {
      const path = join(dir, "a");
      const { trackers } = await trackedRun(path, { tensorboard: true });
      assert.deepEqual(
        trackers.map(({ isWhole, failure }) => [isWhole, failure]),
        [
          [true, null],
        ],
      );
      const seen = seenSchema.parse(
        await askTool("tensorboard", [
          "read_tensorboard.py",
          join(path, "tensorboard"),
        ]),
      );
      const { lines } = await readRun(path);
      const rewards = lines.flatMap((line) =>
        line.phase === "rl" ? [[line.step, Math.fround(line.reward)]] : []
      );
      assert.deepEqual(seen.scalars["rl/reward"], rewards);
      const losses = lines.flatMap((line) =>
        line.phase === "cold_start" ? [[line.step, Math.fround(line.loss)]] : []
      );
      assert.deepEqual(seen.scalars["cold_start/loss"], losses);
      assert.equal(seen.scalars["eval/test/greedy/pass1"]?.length, 2);
      assert.match(seen.texts["config"]?.[0] ?? "", /tasksPerStep: 2/);
      assert.match(seen.texts["episodes"]?.[0] ?? "", /eval\/test\/greedy/);
      assert.equal(seen.settings["rl.groupSize"], 2);
      assert.equal(seen.settings["rl.advantage"], "dr-grpo");
      assert.equal(seen.status, 1);
    }),
});
