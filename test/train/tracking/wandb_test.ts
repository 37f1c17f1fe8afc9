import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../../../env/errors.ts";
import { readEpisodeRows } from "../../../train/runs/read_episode_rows.ts";
import { readRun } from "../../../train/runs/training_dir.ts";
import { pointOf } from "../../../train/tracking/metrics_journal.ts";
import { message } from "../../../train/tracking/protobuf.ts";
import type {
  RunEnd,
  TrackedRun,
} from "../../../train/tracking/run_tracker.ts";
import {
  trackingSchema,
  wandbModeOf,
} from "../../../train/tracking/tracking_schema.ts";
import {
  countRows,
  fileRecord,
  historyRecord,
  summaryRecord,
  WandbLog,
} from "../../../train/tracking/wandb_log.ts";
import { wandb } from "../../../train/tracking/wandb.ts";
import { timeless } from "../../support/lab.ts";
import { runTask } from "../../support/task_process.ts";
import { inTempDir } from "../../support/temp_dir.ts";
import {
  freePort,
  resumed,
  TINY,
  toolCommand,
  trackedRun,
  without,
} from "../../support/trackers.ts";
import {
  type UploadedRun,
  WANDB_ENTITY,
  WANDB_KEY,
  WandbServer,
} from "../../support/wandb_server.ts";

const WITHOUT = without("wandb");

/** Runs a command of W&B's client with `dir` as its home directory. */
async function askWandb(
  args: readonly string[],
  { dir, url }: { readonly dir: string; readonly url?: string },
): Promise<string> {
  const { code, stdout, stderr } = await toolCommand(
    "wandb",
    ["-m", "wandb", ...args],
    {
      cwd: dir,
      env: {
        HOME: dir,
        WANDB_ERROR_REPORTING: "false",
        WANDB_API_KEY: WANDB_KEY,
        ...(url === undefined ? {} : { WANDB_BASE_URL: url }),
      },
    },
  ).output();
  const [said, complaint] = [stdout, stderr]
    .map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, 0, `${complaint}\n${said}`);
  return said!;
}

const recordSchema = z.looseObject({ num: z.number(), type: z.string() });
type Logged = z.infer<typeof recordSchema>;

/** Returns the records in a run file, as W&B's own reader prints them. */
async function recordsOf(path: string, dir: string): Promise<Logged[]> {
  const said = await askWandb(["leet", "inspect", "--json", path], { dir });
  return said.trim().split("\n").map((line) =>
    recordSchema.parse(JSON.parse(line))
  );
}

/** Returns the contents of all records of a type. */
function ofType<T>(
  records: readonly Logged[],
  type: string,
  schema: z.ZodType<T>,
): T[] {
  return records.filter((one) => one.type === type)
    .map((one) => schema.parse(one[type]));
}

const filesSchema = z.object({
  files: z.tuple([z.object({ path: z.string() })]),
});
const historySchema = z.object({ item: z.record(z.string(), z.unknown()) });
const exitSchema = z.object({ exit_code: z.number() });
const runSchema = z.looseObject({ start_time: z.string() });

/** Returns the id, the directory and the file of the only offline run in a run dir. */
async function offlineRunOf(path: string) {
  const [name, ...others] = await Array.fromAsync(
    Deno.readDir(join(path, "wandb")),
    ({ name }) => name,
  );
  assert.deepEqual(others, []);
  assert.match(name ?? "", /^offline-run-\d{8}_\d{6}-[a-z\d]{8}$/);
  const id = name!.slice(-8);
  const dir = join(path, "wandb", name!);
  return { id, dir, file: join(dir, `run-${id}.wandb`) };
}

/** Returns the expected rows of a run, one for each line of metrics, without `_runtime` and `_timestamp`. */
async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  const { lines } = await readRun(path);
  return lines.map((line, i) => {
    const { step, values } = pointOf(line);
    return { ...Object.fromEntries(values), step, _step: i };
  });
}

function withoutClock(
  { _runtime, _timestamp, ...row }: Record<string, unknown>,
): Record<string, unknown> {
  assert.ok(typeof _runtime === "number" && _runtime >= 0);
  assert.ok(typeof _timestamp === "number" && _timestamp > 1.7e9);
  return row;
}

const RUN: TrackedRun = {
  name: "a",
  path: "",
  kind: "evaluate",
  project: "worlds",
  startedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  seed: 1,
  version: "9",
  commit: "c0ffee",
  config: { seed: 1, model: { name: "ü", from: null } },
};

const END: RunEnd = {
  outcome: "interrupted",
  timeMs: RUN.startedAtMs + 61_000,
  step: 2,
  episodes: { columns: ["id", "reason"], rows: [["a", null], ["b", "ü"]] },
};

const POINTS = [1, 2].map((step) => ({
  step,
  timeMs: RUN.startedAtMs + 1500 * step,
  values: new Map([["rl/reward", step / 4]]),
}));

Deno.test("wandbModeOf() uses the recipe, then WANDB_MODE, then whether there is a key", () => {
  const modeOf = (
    tracking: object,
    env: Readonly<Record<string, string>>,
  ) => wandbModeOf(trackingSchema.parse(tracking), (name) => env[name]);
  const key = { WANDB_API_KEY: WANDB_KEY };
  assert.equal(modeOf({}, {}), "offline");
  assert.equal(modeOf({}, key), "online");
  assert.equal(modeOf({}, { ...key, WANDB_MODE: "offline" }), "offline");
  assert.equal(
    modeOf({ wandbMode: "online" }, { WANDB_MODE: "offline" }),
    "online",
  );
  assert.throws(() => modeOf({}, { WANDB_MODE: "shared" }), ConfigError);
});

Deno.test("wandb() online names the missing setting: a key, or the URL of a server", () => {
  const config = trackingSchema.parse({ wandbMode: "online" });
  assert.throws(
    () => wandb(config, () => undefined),
    /online, but WANDB_API_KEY is not set/,
  );
  const env: Record<string, string> = {
    WANDB_API_KEY: WANDB_KEY,
    WANDB_BASE_URL: "wandb.local",
  };
  assert.throws(
    () => wandb(config, (name) => env[name]),
    /WANDB_BASE_URL must start with http: or https:, but it is "wandb.local"/,
  );
});

Deno.test({
  name:
    "WandbLog writes files from which W&B's reader returns every record, wherever blocks end, and every complete one of a truncated file (needs Python with wandb)",
  ignore: WITHOUT,
  fn: () =>
    inTempDir(async (dir) => {
      const file = join(dir, "run-a.wandb");
      const log = await WandbLog.create(file);
      const block = 32 * 1024;
      const long = "x".repeat(20_000);
      const header = 7;
      const overhead = header - long.length +
        message(fileRecord(long), [1, "int64", 1]).length;
      const paths: string[] = [];
      for (let room = 0; room <= header + 1; room++) {
        const { size } = await Deno.stat(file);
        const rest = block - size % block;
        // The record ends `room` bytes before the end of the next block.
        const length = rest + block - header - overhead - room;
        paths.push("y".repeat(length), `${room}`);
        await log.append([fileRecord(paths.at(-2)!)]);
        const end = (await Deno.stat(file)).size % block;
        assert.equal((block - end) % block, room);
        await log.append([fileRecord(paths.at(-1)!)]);
      }
      paths.push("z".repeat(3 * block), "last");
      await log.append(paths.slice(-2).map(fileRecord));
      const read = async () =>
        ofType(await recordsOf(file, dir), "files", filesSchema)
          .map(({ files: [{ path }] }) => path);
      assert.deepEqual(await read(), paths);

      const { size } = await Deno.stat(file);
      await Deno.truncate(file, size - 3);
      assert.deepEqual(await read(), paths.slice(0, -1));
      await Deno.truncate(file, size - 2 * block);
      assert.deepEqual(await read(), paths.slice(0, -2));
    }),
});

Deno.test("countRows() counts the complete rows of a file, wherever blocks end", () =>
  inTempDir(async (dir) => {
    const block = 32 * 1024;
    const rooms = new Set<number>();
    // The filler ends at each distance from the end of a block, from none to more than a chunk's header.
    for (let length = block - 40; length < block; length++) {
      const path = join(dir, `run-${length}.wandb`);
      const log = await WandbLog.create(path);
      await log.append([fileRecord("x".repeat(length))]);
      rooms.add((block - (await Deno.stat(path)).size % block) % block);
      for (const [_step, key] of ["a", "b".repeat(3 * block)].entries()) {
        const row = { [key]: 1, _runtime: 0, _timestamp: 0, _step };
        await log.append([historyRecord(row), summaryRecord(row)]);
        await log.append([historyRecord(row), fileRecord("last")]);
      }
      const file = await Deno.readFile(path);
      assert.equal(countRows(file), 4);
      assert.equal(countRows(file.subarray(0, -block)), 3);
    }
    for (let room = 0; room <= 8; room++) assert.ok(rooms.has(room), `${room}`);
  }));

Deno.test("WandbLog overwrites what a failed write left", () =>
  inTempDir(async (dir) => {
    const [file, torn] = ["a", "b"].map((name) => join(dir, name)) as [
      string,
      string,
    ];
    const logs = [await WandbLog.create(file), await WandbLog.create(torn)];
    for (const log of logs) await log.append([fileRecord("first")]);
    await Deno.writeFile(torn, new Uint8Array(99), { append: true });
    for (const log of logs) await log.append([fileRecord("second")]);
    assert.deepEqual(await Deno.readFile(torn), await Deno.readFile(file));
  }));

Deno.test({
  name:
    "a resumed run with tracking.wandb offline is read by W&B's reader and uploaded by `wandb sync` (needs Python with wandb)",
  ignore: WITHOUT,
  fn: () =>
    inTempDir(async (dir) => {
      const path = join(dir, "a");
      const { trackers: [report] } = await trackedRun(path, {
        wandb: true,
        wandbMode: "offline",
        wandbEntity: "theirs",
        wandbGroup: "small",
        project: "worlds",
      });
      assert.equal(report?.failure, null);
      assert.ok(report?.isWhole);
      assert.equal(
        report.link,
        `wandb sync ${(await offlineRunOf(path)).dir}`,
      );
      const before = await offlineRunOf(path);
      await resumed(path);
      const offline = await offlineRunOf(path);
      assert.equal(offline.id, before.id);

      const records = await recordsOf(offline.dir, dir);
      assert.deepEqual(
        records.map(({ num }) => num),
        records.map((_, i) => i + 1),
      );
      const { info, config } = await readRun(path);
      const own = { ...config, taulab_version: info.version };
      const [run, ...updates] = ofType(records, "run", runSchema);
      assert.deepEqual(updates, []);
      const { start_time, ...described } = run!;
      assert.deepEqual(described, {
        run_id: offline.id,
        entity: "theirs",
        project: "worlds",
        config: { update: own },
        run_group: "small",
        job_type: "train",
        display_name: "a",
        ...(info.commit === null ? {} : { git: { commit: info.commit } }),
      });
      assert.equal(Date.parse(start_time), Date.parse(info.startedAt));
      const rows = await rowsOf(path);
      assert.deepEqual(
        ofType(records, "history", historySchema)
          .map(({ item }) => withoutClock(item)),
        rows,
      );
      assert.deepEqual(ofType(records, "exit", exitSchema), [{ exit_code: 0 }]);

      await using server = new WandbServer();
      await askWandb(["sync", offline.dir], { dir, url: server.url });
      const synced = server.run;
      assert.deepEqual([...server.runs.keys()], [
        `theirs/worlds/${offline.id}`,
      ]);
      const { displayName, groupName, jobType } = synced.described;
      assert.deepEqual([displayName, groupName, jobType], [
        "a",
        "small",
        "train",
      ]);
      assert.deepEqual(configOf(synced), withoutEmpty(own));
      assert.deepEqual(synced.history.map(withoutClock), rows);
      assert.deepEqual(
        withoutClock(synced.summary ?? {})["rl/reward"],
        rows.findLast((row) => "rl/reward" in row)?.["rl/reward"],
      );
      assert.equal(synced.exitCode, 0);
      const table = tableOf(synced);
      assert.ok(table.columns.includes("reward"));
      assert.equal(table.data.length, (await readEpisodeRows(path)).length);
    }),
});

/** Returns a config without empty objects, because W&B's client omits them. */
function withoutEmpty(config: object): object {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        return [[key, value]];
      }
      const inner = withoutEmpty(value);
      return Object.keys(inner).length === 0 ? [] : [[key, inner]];
    }),
  );
}

/** Returns the config that a user sees, which excludes the values that clients add. */
function configOf({ config }: UploadedRun): Record<string, unknown> {
  const { _wandb, ...own } = config;
  return Object.fromEntries(
    Object.entries(own).map(([key, { value }]) => [key, value]),
  );
}

/** Returns the setting in a run's config that chooses the horizontal axis of curves. */
function axisOf({ config }: UploadedRun): unknown {
  return z.object({ m: z.unknown() }).parse(config["_wandb"]?.value).m;
}

/** Returns the table of episodes from the file that the summary names. */
function tableOf(run: UploadedRun): { columns: string[]; data: unknown[][] } {
  const entry = z.object({
    _type: z.literal("table-file"),
    path: z.string(),
    size: z.number(),
    nrows: z.number(),
  }).parse(run.summary?.["episodes"]);
  const text = run.files.get(entry.path) ?? "";
  assert.equal(new TextEncoder().encode(text).length, entry.size);
  const table = JSON.parse(text);
  assert.equal(table.data.length, entry.nrows);
  return table;
}

Deno.test({
  name:
    "wandb() online uploads what `wandb sync` uploads of the offline run, in two sessions of which the first was killed (needs Python with wandb)",
  ignore: WITHOUT,
  fn: () =>
    inTempDir(async (dir) => {
      await using server = new WandbServer();
      const config = trackingSchema.parse({ wandbUrl: server.url });
      const run = { ...RUN, path: dir };
      const place = { runId: "a1b2c3d4" };
      const uploads: unknown[] = [];
      for (const mode of ["offline", "online"]) {
        server.runs.clear();
        const env: Record<string, string> = {
          WANDB_API_KEY: WANDB_KEY,
          WANDB_MODE: mode,
        };
        // The first session is killed after the first point.
        for (const points of [POINTS.slice(0, 1), POINTS]) {
          const tracker = wandb(config, (name) => env[name]);
          const open = await tracker.open(run, { before: place });
          assert.equal(open.place["runId"], place.runId);
          await open.send(points, {});
          if (points === POINTS) await open.end(END, {});
          const own = `${server.url}/${WANDB_ENTITY}/worlds/runs/a1b2c3d4`;
          if (mode === "online") assert.equal(open.link, own);
          else {
            const path = join(dir, "wandb");
            await askWandb(["sync", path], { dir, url: server.url });
          }
        }
        const { described, history, summary, exitCode } = server.run;
        uploads.push({
          described,
          history,
          summary,
          exitCode,
          config: configOf(server.run),
          axis: axisOf(server.run),
          table: tableOf(server.run),
        });
      }
      assert.deepEqual(uploads[1], uploads[0]);
    }),
});

Deno.test("wandb() offline keeps the uploaded file of a session that started in the same second", () =>
  inTempDir(async (dir) => {
    const config = trackingSchema.parse({ wandbMode: "offline" });
    const tracker = wandb(config, () => undefined);
    for (let session = 1; session <= 3; session++) {
      const open = await tracker.open({ ...RUN, path: dir }, {
        before: { runId: "a1b2c3d4" },
      });
      const own = open.link!.replace("wandb sync ", "");
      // `wandb sync` leaves this file.
      await Deno.writeTextFile(join(own, "run-a1b2c3d4.wandb.synced"), "");
      const all = await Array.fromAsync(Deno.readDir(join(dir, "wandb")));
      assert.equal(all.length, session);
    }
  }));

Deno.test("wandb() sends each row once across changes of its mode, and heartbeats of a silent run", () =>
  inTempDir(async (dir) => {
    await using server = new WandbServer();
    const trackerOf = (wandbMode: string) =>
      wandb(
        trackingSchema.parse({ wandbMode, wandbUrl: server.url }),
        () => WANDB_KEY,
      );
    const run = { ...RUN, path: dir };
    const unsynced = await trackerOf("offline").open(run, {});
    await unsynced.send(POINTS, {});
    const online = await trackerOf("online").open(run, {
      before: unsynced.place,
    });
    await assert.rejects(offlineRunOf(dir));
    await online.send(POINTS.slice(0, 1), {});
    await online.keepAlive?.call({});
    assert.deepEqual(
      server.run.history.map((row) => [row["_step"], row["rl/reward"]]),
      [[0, 0.25]],
    );
    assert.equal(server.run.heartbeats, 1);

    const rest = await trackerOf("offline").open(run, { before: online.place });
    await rest.send(POINTS, {});
    const { id, file } = await offlineRunOf(dir);
    assert.equal(id, unsynced.place["runId"]);
    assert.equal(countRows(await Deno.readFile(file)), 1);
  }));

Deno.test("wandb() online reports a rejected key with a hint and without the key", () =>
  inTempDir(async (dir) => {
    await using server = new WandbServer();
    const config = trackingSchema.parse({
      wandbMode: "online",
      wandbUrl: server.url,
    });
    const tracker = wandb(config, () => "another");
    await assert.rejects(
      tracker.open({ ...RUN, path: dir }, {}),
      (error) => {
        assert.match(String(error), /W&B at .* answered with status 401/);
        assert.match(JSON.stringify(error), /set WANDB_API_KEY/);
        assert.doesNotMatch(JSON.stringify(error), /another/);
        return true;
      },
    );
  }));

Deno.test("train --track wandb: a server that is down does not change the run, and gets all of it on resume", () =>
  inTempDir(async (dir) => {
    const port = freePort();
    const env = {
      WANDB_API_KEY: WANDB_KEY,
      WANDB_MODE: "",
      WANDB_BASE_URL: `http://127.0.0.1:${port}`,
    };
    const paths = ["with", "without"].map((name) => join(dir, name));
    const recipe = join(dir, "tiny.yaml");
    await Deno.writeTextFile(recipe, TINY);
    const task = (...args: string[]) =>
      runTask("train", ["--runs", dir, ...args], { env });
    const start = (name: string, ...args: string[]) =>
      task(
        ...["--recipe", recipe, "--set", "coldStart.steps=0"],
        ...["--set", "rft.steps=0", "--name", name, ...args],
      );
    const missed = await start("with", "--track", "wandb");
    const bare = await start("without");
    assert.equal(missed.code, bare.code, missed.stderr);
    assert.match(
      missed.stdout,
      /wandb has 0 of \d+ points of the run; .* W&B at .* cannot be reached/,
    );
    const [one, other] = await Promise.all(paths.map(readRun));
    assert.deepEqual(timeless(one!.lines), timeless(other!.lines));

    await using server = new WandbServer(port);
    const sent = await task("--resume", "with", "--track", "wandb");
    assert.match(
      sent.stderr,
      /wandb: http:\/\/127\.0\.0\.1:\d+\/our-team\/taulab\/runs\/\w{8}\n/,
    );
    assert.match(sent.stdout, /wandb has the whole run: http/);
    assert.deepEqual(
      server.run.history.map(withoutClock),
      await rowsOf(paths[0]!),
    );
  }));

Deno.test("evaluate --track wandb without a key writes an offline run", () =>
  inTempDir(async (dir) => {
    const { code, stdout, stderr } = await runTask("evaluate", [
      ...["--runs", dir, "--name", "a", "--agent", "expert"],
      ...["train", "dev", "test"].flatMap((split) => [
        "--set",
        `data.generated.${split}Tasks=2`,
      ]),
      ...["--track", "wandb"],
    ], { env: { WANDB_API_KEY: "", WANDB_MODE: "" } });
    assert.equal(code, 0, stderr);
    const offline = await offlineRunOf(join(dir, "a"));
    assert.ok(
      stdout.includes(`wandb has the whole run: wandb sync ${offline.dir}`),
    );
    // Two episodes, and the report.
    assert.equal(countRows(await Deno.readFile(offline.file)), 3);
  }));
