/** Tests errors that end a session before any request to Ray. The tests with Ray are in launch_test.ts. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError, HostError, RunDirError } from "../../../../env/errors.ts";
import { parseSet } from "../../../../train/config/config.ts";
import { openDataset } from "../../../../train/config/open_dataset.ts";
import { newRunInfo } from "../../../../train/runs/run_info.ts";
import type { DoctorReport } from "../../../../train/slime/doctor/doctor.ts";
import {
  attachToRun,
  launchNewRun,
  type LaunchSessionOptions,
  resumeRun,
  stopLaunchedRun,
} from "../../../../train/slime/launch/sessions.ts";
import {
  readLaunchRecord,
  writeLaunchRecord,
} from "../../../../train/slime/launch/launch_record.ts";
import { SlimeRun } from "../../../../train/slime/launch/slime_run.ts";
import { slimeOf } from "../../../support/doctor.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

function options(runs: string): LaunchSessionOptions {
  return {
    runs,
    hostsFile: join(runs, "hosts.yaml"),
    doctor: null,
    env: () => undefined,
  };
}

async function runThere(path: string, fingerprint?: string): Promise<void> {
  const { config } = slimeOf();
  const dataset = await openDataset(config.data);
  const info = await newRunInfo({
    trainer: "slime",
    seed: 1,
    dataset: {
      name: dataset.name,
      fingerprint: fingerprint ?? dataset.fingerprint,
    },
    now: new Date(),
  });
  await using _ = await SlimeRun.create(path, { config, info });
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("launchNewRun() creates no run dir if the dataset is missing", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    const slime = slimeOf(["data.source=tau-bench"]);
    await assert.rejects(launchNewRun(slime, { ...options(dir), path }), {
      name: "ConfigError",
      hint: /--tau-bench DIR/,
    });
    assert.ok(!await isThere(path));
  }));

Deno.test("launchNewRun() creates no run dir if a check of the doctor fails, and reports the check", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    const slime = slimeOf([
      `paths.python=${dir}/none`,
      `model.directory=${dir}/none`,
    ]);
    let report: DoctorReport | undefined;
    const doctor = { onReport: (one: DoctorReport) => report = one };
    await assert.rejects(
      launchNewRun(slime, { ...options(dir), doctor, path }),
      (error) =>
        error instanceof HostError && /--skip-doctor/.test(error.hint!),
    );
    assert.equal(report?.healthy, false);
    assert.ok(!await isThere(path));
  }));

Deno.test("launchNewRun() without the doctor accepts only flags of known slime versions", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    const slime = slimeOf([
      "flags.num-rolout=3",
      `paths.python=${dir}/none`,
    ]);
    await assert.rejects(
      launchNewRun(slime, { ...options(dir), path }),
      (error) =>
        error instanceof ConfigError &&
        /would silently ignore it/.test(error.message) &&
        /^did you mean "num-rollout"\? Without --skip-doctor, /.test(
          error.hint!,
        ),
    );
    assert.ok(!await isThere(path));
  }));

Deno.test("resumeRun() refuses another config, another recipe and another dataset", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    await runThere(path);
    const asked = { ...options(dir), overrides: [] };
    const overrides = [parseSet("rollout.steps=7")];
    await assert.rejects(
      resumeRun(path, { ...asked, overrides }),
      (error) =>
        error instanceof ConfigError &&
        /rollout\.steps is 500/.test(`${error}`),
    );
    await assert.rejects(
      resumeRun(path, { ...asked, recipe: "qwen3-4b" }),
      /--recipe qwen3-4b applies only to new runs/,
    );
    const other = join(dir, "b1");
    await runThere(other, "of something else");
    await assert.rejects(
      resumeRun(other, asked),
      (error) =>
        error instanceof RunDirError &&
        /a different dataset/.test(error.message),
    );
  }));

Deno.test("attachToRun() and stopLaunchedRun() refuse a run that has no job", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    await runThere(path);
    await assert.rejects(attachToRun(path, options(dir)), /has no job/);
    await assert.rejects(
      stopLaunchedRun(path, options(dir)),
      /Nothing was launched/,
    );
  }));

Deno.test("a run whose Ray was killed is not waited for: attachToRun() says so, stopLaunchedRun() ends it", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    await runThere(path);
    {
      await using run = await SlimeRun.open(path);
      await run.begin(new Date());
    }
    // Stands for the dashboard of a head that was killed: it accepts connections but never answers.
    using dashboard = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await writeLaunchRecord(path, {
      schemaVersion: 2,
      jobsUrl: `http://127.0.0.1:${dashboard.addr.port}`,
      head: "this machine",
      checkpoints: join(dir, "checkpoints"),
      evalTasks: {},
      sessions: [{
        submissionId: "a1",
        fromStep: 0,
        submittedAt: "2026-01-02T03:04:05.000Z",
        state: null,
      }],
      ray: { mark: crypto.randomUUID(), hosts: ["this machine"] },
      services: [],
    });
    await assert.rejects(attachToRun(path, options(dir)), {
      name: "RayError",
      message:
        'Ray on this machine, which was started for this run, has ended, and the job "a1" with it',
      hint: /--resume \S+a1, or just stop/,
    });
    const notes: string[] = [];
    const onNote = (text: string) => notes.push(text);
    const stopped = await stopLaunchedRun(path, { ...options(dir), onNote });
    assert.deepEqual([stopped.state, stopped.rayHosts], [
      null,
      ["this machine"],
    ]);
    assert.match(notes.join("\n"), /Ray on this machine.*has ended/);
    const { ray, sessions } = (await readLaunchRecord(path))!;
    assert.deepEqual([ray, sessions[0]!.state], [null, "STOPPED"]);
  }));
