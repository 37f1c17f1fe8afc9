import assert from "node:assert/strict";
import { join } from "node:path";
import {
  type BoundaryError,
  ConfigError,
  messageOf,
  RunDirError,
} from "../../../env/errors.ts";
import { resolveConfig } from "../../../train/config/config.ts";
import {
  EpisodeStore,
  packTrajectory,
  unpackTrajectory,
} from "../../../train/runs/episode_store.ts";
import {
  type ColdStartMetrics,
  METRICS_VERSION,
} from "../../../train/runs/metrics.ts";
import type { NewRunDir } from "../../../train/runs/run_dir.ts";
import { checkResume } from "../../../train/runs/resume_check.ts";
import { TrainingDir } from "../../../train/runs/training_dir.ts";
import { newRunInfo } from "../../../train/runs/run_info.ts";
import { latestUnfinished } from "../../../train/runs/run_reader.ts";
import { readRun } from "../../../train/runs/training_dir.ts";
import { attempt } from "../../../train/runs/storage.ts";
import { fakeEpisode } from "../../support/lab.ts";
import { inTempDir } from "../../support/temp_dir.ts";

async function create(
  path: string,
  startedAt = new Date(0),
  options: Partial<NewRunDir<unknown>> = {},
): Promise<TrainingDir> {
  const config = resolveConfig({ name: "test", text: "" });
  const dataset = { name: "fake", fingerprint: "f" };
  const info = await newRunInfo({ seed: 1, dataset, now: startedAt });
  return await TrainingDir.create(path, { ...options, config, info });
}

function line(step: number): ColdStartMetrics {
  return {
    schemaVersion: METRICS_VERSION,
    step,
    phase: "cold_start",
    loss: 1 / 3,
    gradNorm: 1,
    learningRate: 1,
    tokens: 1,
    lossTokens: 1,
    timing: { seconds: { total: 1 } },
  };
}

/** Writes a run of three steps, each with one episode and a checkpoint. */
async function threeSteps(path: string): Promise<void> {
  await using run = await create(path);
  for (const step of [1, 2, 3]) {
    const place = { step, source: "cold_start", group: 0, advantage: null };
    await run.record(line(step), [{
      episode: fakeEpisode({ value: 1 }),
      place,
    }]);
    await run.saveCheckpoint(
      step,
      (dir) => Deno.writeTextFile(join(dir, "w"), `${step}`),
    );
  }
}

async function refusal(
  action: Promise<unknown>,
  kind: new (message: string) => BoundaryError = RunDirError,
) {
  const error = await action.then(() => undefined, (reason) => reason);
  assert.ok(error instanceof kind, String(error));
  assert.ok(!error.message.includes("\n"), "one paragraph");
  return messageOf(error);
}

Deno.test("TrainingDir reads back what was written: info, config, lines, episodes", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    await threeSteps(path);
    const record = await readRun(path);
    assert.deepEqual(record.lines, [line(1), line(2), line(3)]);
    assert.deepEqual(record.config, resolveConfig({ name: "", text: "" }));
    using store = new EpisodeStore(join(path, "episodes.db"), {
      readOnly: true,
    });
    const [stored] = store.list({ step: 2 });
    const episode = fakeEpisode({ value: 1 });
    assert.equal(stored!.reward, 1);
    assert.deepEqual(store.trajectory(stored!.id), episode.trajectory);
    const { messages, turns } = store.conversation(stored!.id);
    assert.deepEqual(JSON.parse(messages), episode.messages);
    assert.deepEqual(JSON.parse(turns)[0].action.call.arguments, {
      order_id: "#W1",
    });
  }));

Deno.test("EpisodeStore keeps a failed episode without a reward", () =>
  inTempDir((dir) => {
    using store = new EpisodeStore(join(dir, "e.db"));
    const place = { step: 1, source: "rl", group: 2, advantage: null };
    store.add([{ episode: fakeEpisode({ value: null }), place }]);
    const [stored] = store.list({ source: "rl" });
    assert.equal(stored!.reward, null);
    assert.equal(stored!.failure?.kind, "rate_limited");
    assert.equal(stored!.group, 2);
    return Promise.resolve();
  }));

Deno.test("packTrajectory() is lossless for 32-bit values", () => {
  const trajectory = {
    ids: [0, 151_643, 7],
    lossMask: [0, 1, 1] as const,
    logprobs: [0, -0.5, Math.fround(-1.3)],
  };
  assert.deepEqual(unpackTrajectory(packTrajectory(trajectory)), trajectory);
});

Deno.test("TrainingDir.resume() drops what a kill left after the last checkpoint", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    await threeSteps(path);
    // A write that stopped halfway: step 4 has no checkpoint, and step 5's episodes have no line.
    const metrics = join(path, "metrics.jsonl");
    await Deno.writeTextFile(
      metrics,
      `${JSON.stringify(line(4))}\n{"schemaVer`,
      { append: true },
    );
    {
      using store = new EpisodeStore(join(path, "episodes.db"));
      const place = (step: number) => ({
        step,
        source: "rl",
        group: 0,
        advantage: null,
      });
      store.add(
        [4, 5].map((step) => ({
          episode: fakeEpisode({ value: 0 }),
          place: place(step),
        })),
      );
    }
    await Deno.mkdir(join(path, "checkpoints/4.partial"));
    await using run = await TrainingDir.resume(path);
    assert.deepEqual(run.metrics, [line(1), line(2), line(3)]);
    assert.deepEqual(await run.checkpoints(), [1, 2, 3]);
    using store = new EpisodeStore(join(path, "episodes.db"), {
      readOnly: true,
    });
    assert.deepEqual(store.list().map(({ step }) => step), [1, 2, 3]);
    await assert.rejects(
      Deno.stat(join(path, "checkpoints/4.partial")),
      Deno.errors.NotFound,
    );
    await run.record(line(4));
    assert.equal((await readRun(path)).lines.length, 4);
  }));

Deno.test("TrainingDir.resume() continues from an earlier checkpoint after a later one is removed", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    await threeSteps(path);
    await Deno.remove(join(path, "checkpoints/3"), { recursive: true });
    await using run = await TrainingDir.resume(path);
    assert.deepEqual(run.metrics, [line(1), line(2)]);
  }));

Deno.test("TrainingDir.create() refuses a name that is taken", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    await threeSteps(path);
    const message = await refusal(
      create(path),
      ConfigError,
    );
    assert.match(
      message,
      /already exists; continue it with --resume .*a1, or choose another --name/,
    );
  }));

Deno.test("TrainingDir.create() numbers names that are taken, also for runs that are created at the same time", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    const numbered = () => create(path, new Date(0), { numberIfTaken: true });
    await using stack = new AsyncDisposableStack();
    const runs = await Promise.all([numbered(), numbered(), numbered()]);
    for (const run of runs) stack.use(run);
    const names = runs.map((run) => run.name).sort();
    assert.deepEqual(names, ["a1", "a1-2", "a1-3"]);
    for (const run of runs) {
      assert.equal((await readRun(run.path)).info.outcome, "running");
    }
  }));

Deno.test("TrainingDir.resume() refuses a run that is in use, and names its process", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    {
      await using _run = await create(path);
      const message = await refusal(TrainingDir.resume(path));
      assert.match(
        message,
        new RegExp(`in use by another process \\(process ${Deno.pid}\\)`),
      );
    }
    await using run = await TrainingDir.resume(path);
    assert.equal(run.name, "a1");
  }));

Deno.test("readRun() refuses a newer version and says what to do", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    await threeSteps(path);
    const infoPath = join(path, "run.json");
    const info = JSON.parse(await Deno.readTextFile(infoPath));
    await Deno.writeTextFile(
      infoPath,
      JSON.stringify({ ...info, schemaVersion: 99 }),
    );
    const message = await refusal(TrainingDir.resume(path));
    assert.match(
      message,
      /run.json" has schema version 99, but this version of taulab supports versions up to 1; use the version of taulab that wrote it/,
    );
  }));

Deno.test("TrainingDir.resume() refuses newer metrics, episodes and checkpoints", () =>
  inTempDir(async (dir) => {
    for (const part of ["metrics.jsonl", "checkpoints/3/checkpoint.json"]) {
      const path = join(dir, part.replaceAll("/", "_"));
      await threeSteps(path);
      const text = await Deno.readTextFile(join(path, part));
      const newer = text.replaceAll(/"schemaVersion":\d/g, `"schemaVersion":9`);
      await Deno.writeTextFile(join(path, part), newer);
      assert.match(
        await refusal(TrainingDir.resume(path)),
        /has schema version 9/,
      );
    }
    const path = join(dir, "db");
    await threeSteps(path);
    const { DatabaseSync } = await import("node:sqlite");
    using db = new DatabaseSync(join(path, "episodes.db"));
    db.exec("PRAGMA user_version = 9");
    assert.match(
      await refusal(TrainingDir.resume(path)),
      /episodes.db" has schema version 9/,
    );
  }));

Deno.test("readRun() skips a damaged line of metrics, and names it; resume() refuses the run", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a");
    await threeSteps(path);
    const file = join(path, "metrics.jsonl");
    const lines = (await Deno.readTextFile(file)).split("\n");
    const { lines: all } = await readRun(path);
    await Deno.writeTextFile(file, lines.with(0, "{").join("\n"));
    const record = await readRun(path);
    assert.deepEqual(record.lines, all.slice(1));
    assert.deepEqual(record.damaged, [
      `${file}:1 is damaged: not a line of metrics`,
    ]);
    assert.match(await refusal(TrainingDir.resume(path)), /:1 is damaged/);
  }));

Deno.test("TrainingDir.resume() says what is damaged", () =>
  inTempDir(async (dir) => {
    const damages: [string, string, RegExp][] = [
      ["run.json", "{", /run.json" is damaged/],
      [
        "metrics.jsonl",
        "what\n",
        /metrics.jsonl:1 is damaged: not a line of metrics/,
      ],
      [
        "episodes.db",
        "no database, but some text that is longer than a header of one is, so it is read",
        /not a valid SQLite database/,
      ],
      [
        "checkpoints/3/checkpoint.json",
        "",
        /checkpoints\/3" is damaged.*remove/,
      ],
      [
        "checkpoints/3/checkpoint.json",
        '{"schemaVersion": 1, "step": 3, "journal": {"lines": "3"}}',
        /checkpoints\/3" is damaged.*remove/,
      ],
    ];
    for (const [i, [name, text, message]] of damages.entries()) {
      const path = join(dir, String(i));
      await threeSteps(path);
      await Deno.writeTextFile(join(path, name), text);
      assert.match(await refusal(TrainingDir.resume(path)), message);
    }
  }));

Deno.test("readRun() of a directory that is not a run says where runs are", () =>
  inTempDir(async (dir) => {
    const message = await refusal(
      readRun(join(dir, "nope")),
      ConfigError,
    );
    assert.match(message, /There is no run at ".*nope"/);
  }));

Deno.test("latestUnfinished() finds the run that started last and is not completed", () =>
  inTempDir(async (dir) => {
    assert.equal(await latestUnfinished(join(dir, "none")), undefined);
    for (const [i, name] of ["b", "a", "c"].entries()) {
      await using run = await create(join(dir, name), new Date(i * 1000));
      await run.begin(new Date(i));
      if (name === "c") {
        await run.end({
          outcome: "completed",
          now: new Date(9),
          wallS: 1,
          peakRssBytes: 1,
        });
      }
    }
    assert.equal(await latestUnfinished(dir), join(dir, "a"));
  }));

Deno.test("TrainingDir.saveCheckpoint() on a full disk says so, and the run resumes from what was saved", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a1");
    await threeSteps(path);
    {
      await using run = await TrainingDir.resume(path);
      await run.record(line(4));
      const full = Object.assign(new Error("No space left on device"), {
        code: "ENOSPC",
      });
      const failing = run.saveCheckpoint(4, async (partial) => {
        await Deno.writeTextFile(join(partial, "half"), "x");
        throw new Error("cannot save the weights", { cause: full });
      });
      assert.match(
        await refusal(failing),
        /save the checkpoint of step 4: the disk .* is full; data saved before is intact; .*--resume .*a1/,
      );
    }
    await using run = await TrainingDir.resume(path);
    assert.deepEqual(run.metrics, [line(1), line(2), line(3)]);
    assert.deepEqual(await run.checkpoints(), [1, 2, 3]);
  }));

Deno.test("attempt() says how to fix what the system refuses", async () => {
  const what = { doing: "write it", path: "/x/run", afterwards: "go on" };
  const refusals: [Error, RegExp][] = [
    [
      new Deno.errors.PermissionDenied("no"),
      /may not read or write "\/x\/run"; change its owner or mode, then go on$/,
    ],
    [
      new Deno.errors.NotCapable("no"),
      /--runs DIR, or .*: run "deno run .*--allow-write=\/x test\/\S+\.ts" with/,
    ],
    [new Error("database or disk is full"), /disk .* is full/],
    [
      new Error("outer", {
        cause: Object.assign(new Error("no"), { code: "ENOSPC" }),
      }),
      /is full/,
    ],
  ];
  for (const [error, message] of refusals) {
    const failing = attempt(what, () => Promise.reject(error));
    assert.match(await refusal(failing), message);
  }
  const creating = (error: Error) =>
    refusal(attempt({ ...what, isNew: true }, () => Promise.reject(error)));
  assert.match(
    await creating(new Deno.errors.PermissionDenied("no")),
    /may not write to "\/x\/run"; .*--runs DIR$/,
  );
  assert.match(
    await creating(Object.assign(new Error("no"), { code: "ENAMETOOLONG" })),
    /invalid or too long, .*; choose another --name/,
  );
  const bug = new Error("something else");
  await assert.rejects(attempt(what, () => Promise.reject(bug)), bug);
});

/** Ways to lose or damage a file of a run, each with the expected message and the step that the run goes back to. */
const LOSSES: readonly {
  name: string;
  damage: (path: string) => Promise<void>;
  message: RegExp;
  backTo: number;
}[] = [
  {
    name: "metrics.jsonl is empty",
    damage: (path) => Deno.writeTextFile(join(path, "metrics.jsonl"), ""),
    message:
      /step 3: metrics\.jsonl has only 0 of the 3 lines .*back to the start/,
    backTo: 0,
  },
  {
    name: "metrics.jsonl is truncated",
    damage: async (path) => {
      const file = join(path, "metrics.jsonl");
      const text = await Deno.readTextFile(file);
      await Deno.writeTextFile(file, text.split("\n").slice(0, 2).join("\n"));
    },
    message:
      /step 3: metrics\.jsonl has only 1 of the 3 lines .*back to step 1/,
    backTo: 1,
  },
  {
    name: "a digit of metrics.jsonl has changed",
    damage: async (path) => {
      const file = join(path, "metrics.jsonl");
      const lines = (await Deno.readTextFile(file)).split("\n");
      const changed = lines[1]!.replace('"tokens":1', '"tokens":7');
      assert.notEqual(changed, lines[1]);
      await Deno.writeTextFile(file, lines.with(1, changed).join("\n"));
    },
    message: /the first 3 lines of metrics\.jsonl have changed .* step 1/,
    backTo: 1,
  },
  {
    name: "episodes.db is gone",
    damage: (path) => Deno.remove(join(path, "episodes.db")),
    message: /episodes\.db has only 0 of the 3 episodes .*back to the start/,
    backTo: 0,
  },
  {
    name: "an episode is gone",
    damage: (path) => {
      using store = new EpisodeStore(join(path, "episodes.db"));
      store.prune((step) => step !== 3);
      return Promise.resolve();
    },
    message: /episodes\.db has only 2 of the 3 episodes .*back to step 2/,
    backTo: 2,
  },
];

for (const { name, damage, message, backTo } of LOSSES) {
  Deno.test(`TrainingDir.resume() reports that ${name}, and deletes nothing without --discard`, () =>
    inTempDir(async (dir) => {
      const path = join(dir, "a1");
      await threeSteps(path);
      await damage(path);
      assert.match(await refusal(TrainingDir.resume(path)), message);
      assert.match(
        await refusal(TrainingDir.resume(path)),
        message,
        "it is as before",
      );
      await using run = await TrainingDir.resume(path, { discard: true });
      const steps = [1, 2, 3].slice(0, backTo);
      assert.deepEqual(await run.checkpoints(), steps);
      assert.deepEqual(run.metrics, steps.map(line));
    }));
}

Deno.test("readRun() refuses a config and a run.json that have changed since the run wrote them", () =>
  inTempDir(async (dir) => {
    const cases: [string, (text: string) => string, RegExp][] = [
      [
        "config.yaml",
        () => "",
        /config\.yaml" was truncated, damaged or edited after the run wrote it/,
      ],
      [
        "config.yaml",
        (text) => text.slice(0, text.length / 2),
        /config\.yaml" was truncated, damaged or edited after the run wrote it/,
      ],
      [
        "config.yaml",
        (text) => text.replace("seed: 1\n", "seed: 2\n"),
        /config\.yaml" was truncated, damaged or edited after the run wrote it/,
      ],
      [
        "run.json",
        (text) => text.replace('"seed": 1,', '"seed": 2,'),
        /run\.json" was damaged or edited after the run wrote it/,
      ],
    ];
    for (const [i, [name, change, message]] of cases.entries()) {
      const path = join(dir, String(i));
      await threeSteps(path);
      const file = join(path, name);
      const text = await Deno.readTextFile(file);
      assert.notEqual(change(text), text);
      await Deno.writeTextFile(file, change(text));
      assert.match(await refusal(readRun(path)), message);
      assert.match(await refusal(TrainingDir.resume(path)), message);
    }
  }));

Deno.test("checkResume() says how to restore the run's dataset and its excluded tasks", async () => {
  const info = await newRunInfo({
    seed: 1,
    dataset: { name: "tau-bench", fingerprint: "aaaa" },
    now: new Date(0),
  });
  const hintFor = (config: object) => {
    try {
      checkResume({ path: "runs/a", config, info }, {
        dataset: { fingerprint: "bbbb" },
      });
    } catch (error) {
      return (error as RunDirError).hint;
    }
    return undefined;
  };
  const whole =
    "start a new run, or pass --tau-bench with the original directory";
  assert.equal(hintFor({}), whole);
  assert.equal(hintFor({ data: { exclude: null } }), whole);
  assert.equal(
    hintFor({ data: { exclude: "x.yaml" } }),
    `${whole}, or restore the original exclusion file "x.yaml"`,
  );
  assert.throws(
    () =>
      checkResume({ path: "runs/a", config: {}, info }, {
        config: { user: { label: "" } },
      }),
    /user\.label is not set in runs\/a\/config\.yaml, but "" in the flags/,
  );
});
