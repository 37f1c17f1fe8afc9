import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BoundaryError, messageOf } from "../../../env/errors.ts";
import { Library } from "../../../notebooks/viewer/library.ts";
import { RunSource } from "../../../notebooks/viewer/run_source.ts";
import { makeConfig } from "../../../train/config/config.ts";
import { isHeld, takeLock } from "../../../train/runs/run_lock.ts";
import {
  latestUnfinished,
  readAnyRun,
  readRunInfo,
} from "../../../train/runs/run_reader.ts";
import { readRun, TrainingDir } from "../../../train/runs/training_dir.ts";
import { startRun } from "../../../train/session.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const CONFIG = makeConfig({ rl: { steps: 1 } });
const DATASET = { name: "generated", fingerprint: "f" };

/** Returns the outcomes that the different readers report for a run. */
async function outcomesOf(path: string): Promise<(string | null)[]> {
  using source = new RunSource(path, { id: "a", find: () => [] });
  return [
    (await readRunInfo(path)).outcome,
    (await readRun(path)).info.outcome,
    (await readAnyRun(path)).info.outcome,
    (await source.summary()).outcome,
  ];
}

Deno.test("every reader reports a run as running while its process lives, and as stopped after a kill", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a");
    const session = new URL("../../../train/session.ts", import.meta.url);
    const config = new URL("../../../train/config/config.ts", import.meta.url);
    const script = join(dir, "run.ts");
    await Deno.writeTextFile(
      script,
      `import { startRun } from ${JSON.stringify(session.href)};
       import { makeConfig } from ${JSON.stringify(config.href)};
       const run = await startRun(${JSON.stringify(path)}, {
         config: makeConfig({ rl: { steps: 1 } }),
         dataset: { name: "generated", fingerprint: "f" },
       });
       await run.begin(new Date());
       console.log("begun");
       setInterval(() => {}, 1000);`,
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-check", "--allow-read", `--allow-write=${dir}`],
        `--config=${
          fileURLToPath(new URL("../../../deno.json", import.meta.url))
        }`,
        script,
      ],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.getReader();
    const said = await reader.read();
    assert.match(new TextDecoder().decode(said.value), /begun/);
    assert.deepEqual(new Set(await outcomesOf(path)), new Set(["running"]));
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    assert.deepEqual(new Set(await outcomesOf(path)), new Set(["stopped"]));
    // It is resumed and runs again.
    assert.equal(await latestUnfinished(dir), path);
    await using run = await TrainingDir.resume(path);
    await run.begin(new Date());
    assert.deepEqual(new Set(await outcomesOf(path)), new Set(["running"]));
  }));

Deno.test("a run that ended reports its outcome, whether or not a process holds its lock", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a");
    {
      await using run = await startRun(path, {
        config: CONFIG,
        dataset: DATASET,
      });
      await run.begin(new Date());
      const end = { now: new Date(), wallS: 1, peakRssBytes: 1 };
      await run.end({ outcome: "interrupted", ...end });
    }
    assert.deepEqual(new Set(await outcomesOf(path)), new Set(["interrupted"]));
  }));

Deno.test("isHeld() checks the lock on the holder's host, and the heartbeat on another host", () =>
  inTempDir(async (dir) => {
    assert.equal(await isHeld(dir), false);
    const file = join(dir, "lock");
    {
      const lock = await takeLock(dir);
      assert.equal(await isHeld(dir), true);
      lock.close();
    }
    assert.equal(await isHeld(dir), false);
    // The process id is in use, as if another process had got it.
    await Deno.writeTextFile(file, `process ${Deno.pid}\n`);
    assert.equal(await isHeld(dir), false);
    await Deno.writeTextFile(file, "process 1\nhost 0123456789abcdef\n");
    assert.equal(await isHeld(dir), true);
    const later = Date.now() + 10 * 60_000;
    assert.equal(await isHeld(dir, { now: later }), false);
  }));

Deno.test("takeLock() succeeds while readers check whether the run is held", () =>
  inTempDir(async (dir) => {
    (await takeLock(dir)).close();
    for (let i = 0; i < 20; i++) {
      const [lock] = await Promise.all([
        takeLock(dir),
        isHeld(dir),
        isHeld(dir),
      ]);
      lock.close();
    }
  }));

/** Returns the message and the hint of the error with which an action fails. Fails if the action succeeds. */
async function refusal(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    assert.ok(error instanceof BoundaryError, String(error));
    return messageOf(error);
  }
  throw new assert.AssertionError({ message: "it did not refuse" });
}

Deno.test("the command in the message removes a directory without run.json and frees its name", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a");
    await Deno.mkdir(join(path, "checkpoints"), { recursive: true });
    await Deno.writeTextFile(join(path, "config.yaml"), "seed: 1\n");
    const start = () => startRun(path, { config: CONFIG, dataset: DATASET });
    const messages = [
      await refusal(start()),
      await refusal(TrainingDir.resume(path)),
      await refusal(readRun(path)),
    ];
    for (const message of messages) {
      assert.match(message, /run\.json/);
      const command = /with: (rm -r '[^']+')/.exec(message)?.[1];
      assert.equal(command, `rm -r '${path}'`, message);
    }
    const { code } = await new Deno.Command("sh", {
      args: ["-c", `rm -r '${path}'`],
    }).output();
    assert.equal(code, 0);
    await using run = await start();
    assert.equal(run.path, path);
  }));

Deno.test("a file in place of the directory of runs is reported", () =>
  inTempDir(async (dir) => {
    const root = join(dir, "runs");
    await Deno.writeTextFile(root, "");
    const words = /runs" is a file, not a directory of runs; .*--runs DIR/;
    assert.match(await refusal(latestUnfinished(root)), words);
    const path = join(root, "a");
    const start = startRun(path, { config: CONFIG, dataset: DATASET });
    assert.match(await refusal(start), words);
    const library = Library.open({ named: [], root, find: () => [] });
    assert.match(await refusal(library), words);
  }));

Deno.test("a run that was deleted while running reports that at its next write", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a");
    await using run = await startRun(path, {
      config: CONFIG,
      dataset: DATASET,
    });
    await Deno.remove(path, { recursive: true });
    const words = /a" was deleted or moved in the meantime; start a new run/;
    assert.match(await refusal(run.begin(new Date())), words);
    assert.match(await refusal(run.writeText("x.txt", "x")), words);
  }));
