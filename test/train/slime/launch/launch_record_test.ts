import assert from "node:assert/strict";
import { join } from "node:path";
import { inTempDir } from "../../../support/temp_dir.ts";
import {
  type LaunchRecord,
  readLaunchRecord,
  writeLaunchRecord,
} from "../../../../train/slime/launch/launch_record.ts";

const RECORD: LaunchRecord = {
  schemaVersion: 2,
  jobsUrl: "http://127.0.0.1:8265",
  head: "this machine",
  checkpoints: "/tmp/checkpoints",
  evalTasks: { dev: 4 },
  sessions: [{
    submissionId: "a1",
    fromStep: 0,
    submittedAt: "2026-01-02T03:04:05.000Z",
    state: null,
  }],
  ray: null,
  services: [],
};

Deno.test("readLaunchRecord() reads back what was written", () =>
  inTempDir(async (dir) => {
    await writeLaunchRecord(dir, RECORD);
    assert.deepEqual(await readLaunchRecord(dir), RECORD);
  }));

Deno.test("readLaunchRecord() reads version 1, which called sessions `sittings`", () =>
  inTempDir(async (dir) => {
    const { sessions, ...rest } = RECORD;
    const old = { ...rest, schemaVersion: 1, sittings: sessions };
    await Deno.writeTextFile(join(dir, "launch.json"), JSON.stringify(old));
    assert.deepEqual(await readLaunchRecord(dir), RECORD);
  }));

Deno.test("readLaunchRecord() refuses a newer version", () =>
  inTempDir(async (dir) => {
    const newer = { ...RECORD, schemaVersion: 3 };
    await Deno.writeTextFile(join(dir, "launch.json"), JSON.stringify(newer));
    await assert.rejects(readLaunchRecord(dir), /launch\.json" is damaged/);
  }));
