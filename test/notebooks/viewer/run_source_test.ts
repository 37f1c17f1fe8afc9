import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { diagnosisFindings } from "../../../notebooks/viewer/diagnosis_finder.ts";
import { readQuery } from "../../../notebooks/viewer/page/filter.js";
import { RunSource } from "../../../notebooks/viewer/run_source.ts";
import { ViewerFault } from "../../../notebooks/viewer/viewer_source.ts";
import { EpisodeStore } from "../../../train/runs/episode_store.ts";
import { writeBigRun } from "../../support/big_run.ts";
import { fakeEpisode } from "../../support/lab.ts";
import { writePolicyRun } from "../../support/policy_run.ts";
import { changeRunInfo } from "../../support/run_info.ts";
import { inTempDir } from "../../support/temp_dir.ts";

async function inRun(
  body: (source: RunSource, path: string) => Promise<void>,
): Promise<void> {
  await inTempDir(async (dir) => {
    const path = join(dir, "a");
    await writeBigRun(path);
    using source = new RunSource(path, { find: diagnosisFindings });
    await body(source, path);
  });
}

async function firstOf(source: RunSource, query: string): Promise<number> {
  const index = await source.index();
  const [id] = await index.ids(readQuery(new URLSearchParams(query)));
  assert.ok(id !== undefined, query);
  return id;
}

async function faultOf(work: Promise<unknown>): Promise<ViewerFault> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof ViewerFault, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "nothing was thrown" });
}

Deno.test("RunSource.episode() shows the initial, actual and expected values of fields", async () => {
  await inRun(async (source) => {
    const missing = await source.episode(
      await firstOf(source, "reason=missing_write"),
    );
    const [row] = missing.database.rows;
    assert.ok(missing.database.isWhole && row && !row.isRight);
    assert.ok(
      row.fields.every(({ was, is, verdict }) =>
        verdict === "missing" && was === is
      ),
    );
    const wrong = await source.episode(
      await firstOf(source, "reason=wrong_write"),
    );
    const fields = wrong.database.rows.flatMap(({ fields }) => fields);
    assert.ok(fields.some(({ verdict }) => verdict === "wrong"));
    assert.ok(wrong.database.writes.length > 0);
    const right = await source.episode(
      await firstOf(source, "reward=1&intent=return"),
    );
    assert.ok(right.database.rows.length > 0);
    for (const { isRight, fields } of right.database.rows) {
      assert.ok(isRight);
      for (const { was, is, should, verdict } of fields) {
        assert.deepEqual([is, verdict], [should, "right"]);
        assert.notEqual(was, is);
      }
    }
  });
});

Deno.test("RunSource.episode() assigns messages to turns, and reports which turns wrote", async () => {
  await inRun(async (source) => {
    const { messages, row, database } = await source.episode(
      await firstOf(source, "reward=1&intent=cancel"),
    );
    const turns = messages.filter(({ role }) => role === "assistant")
      .map(({ turn }) => turn);
    assert.deepEqual(turns, Array.from({ length: row.turns }, (_, i) => i));
    const [write] = database.writes;
    const call = messages.find(({ turn }) => turn === write?.turn)?.calls[0];
    assert.equal(call?.name, "cancel_pending_order");
    assert.equal(messages[0]?.turn, null);
  });
});

Deno.test("RunSource.episode() lists findings of the diagnosis before those of the record", async () => {
  await inRun(async (source) => {
    // A cancelled order stays cancelled, whatever follows.
    const wrong = await source.episode(
      await firstOf(source, "reason=wrong_write&intent=cancel"),
    );
    assert.deepEqual(wrong.findings.map(({ kind }) => kind).slice(0, 3), [
      "decisive",
      "fault",
      "reward",
    ]);
    assert.equal(wrong.findings[0]?.turn, wrong.database.writes[0]?.turn);
    const failed = await source.episode(
      await firstOf(source, "failure=rate_limited"),
    );
    assert.ok(
      failed.findings.some(({ kind, blame }) =>
        kind === "failure" && blame === "infrastructure"
      ),
    );
    assert.equal(failed.reward, null);
    const solved = await source.episode(await firstOf(source, "reward=1"));
    assert.deepEqual(solved.findings, []);
  });
});

Deno.test("RunSource.episode() shows the group and the first turn in which each sibling differs", async () => {
  await inRun(async (source) => {
    const id = await firstOf(source, "reason=missing_write");
    const mine = await source.episode(id);
    assert.equal(mine.siblings.length, 8);
    const self = mine.siblings.find(({ row }) => row.id === id);
    assert.deepEqual([self?.partsAt, self?.partsBy], [null, null]);
    const said = (messages: typeof mine.messages, turn: number) =>
      JSON.stringify(messages.filter((message) => message.turn === turn));
    for (const { row, partsAt } of mine.siblings) {
      const other = await source.episode(row.id);
      const at = partsAt ?? mine.row.turns;
      for (let turn = 0; turn < at; turn++) {
        assert.equal(said(other.messages, turn), said(mine.messages, turn));
      }
      if (partsAt !== null) {
        assert.notEqual(
          said(other.messages, partsAt),
          said(mine.messages, partsAt),
        );
      }
    }
  });
});

Deno.test("RunSource.episode() shows only the record if the dataset differs", async () => {
  await inRun(async (_, path) => {
    await changeRunInfo(path, (info) => ({
      ...info,
      dataset: { ...info.dataset, fingerprint: "another" },
    }));
    using source = new RunSource(path, { find: diagnosisFindings });
    const { database, findings, task } = await source.episode(
      await firstOf(source, "reason=missing_write"),
    );
    assert.equal(database.isWhole, false);
    assert.match(database.note ?? "", /a different dataset/);
    assert.ok(database.rows.length > 0 && task === null);
    assert.deepEqual(findings.map(({ kind }) => kind), ["reward"]);
  });
});

Deno.test("RunSource.tokens() returns ids, mask and logprobs, and texts from the run's tokenizer", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "a");
    let texts: string[] = [];
    let ids: number[] = [];
    await writePolicyRun(path, {
      look: ({ tokenizer }) => {
        assert.ok(tokenizer);
        return Promise.resolve();
      },
    });
    const store = new EpisodeStore(join(path, "episodes.db"));
    const place = { step: 1, source: "rl", group: 0, advantage: 0 };
    store.add([{ episode: fakeEpisode({ value: 1 }), place }]);
    store[Symbol.dispose]();
    using source = new RunSource(path, { find: () => [] });
    const tokens = await source.tokens(1);
    ids = [...tokens.ids];
    texts = [...tokens.texts ?? []];
    assert.deepEqual(ids, [5, 7, 9]);
    assert.deepEqual([...tokens.mask], [0, 1, 1]);
    assert.deepEqual([...tokens.logprobs], [0, -0.5, -0.25]);
    assert.equal(texts.length, 3);
    assert.equal(tokens.note, null);
  });
});

Deno.test("RunSource.view() reads runs of any trainer and skips damaged lines", async () => {
  await inRun(async (_, path) => {
    await changeRunInfo(path, (info) => ({
      ...info,
      trainer: "slime",
      host: undefined,
      plan: {},
    }));
    await Deno.writeTextFile(
      join(path, "config.yaml"),
      "cluster: { nodes: 2 }\n",
    );
    const lines = await Deno.readTextFile(join(path, "metrics.jsonl"));
    const extra = [
      "{torn",
      '{"schemaVersion":1,"step":9,"phase":"rl","reward":0.5,"perf":{"tgs":12}}',
      '{"schemaVersion":1,"step":10,"pha',
    ].join("\n");
    await Deno.writeTextFile(join(path, "metrics.jsonl"), lines + extra);
    using source = new RunSource(path, { find: () => [] });
    const { run, curves } = await source.view();
    assert.deepEqual([run.trainer, run.steps, run.reward], ["slime", 9, 0.5]);
    assert.match(run.error ?? "", /metrics\.jsonl:11 is damaged/);
    assert.deepEqual(
      curves.find(({ key }) => key === "rl.perf.tgs")?.points,
      [[9, 12]],
    );
    const episode = await source.episode(1);
    assert.equal(episode.row.id, 1);
  });
});

Deno.test("RunSource separates the curves of a control from the run's, by its own steps", async () => {
  await inRun(async (source, path) => {
    const before = (await source.view()).run;
    const control = { schemaVersion: 2, step: 3, budget: "seconds" };
    const extra = [
      { ...control, phase: "control", controlStep: 1, loss: 0.5 },
      { ...control, phase: "control", controlStep: 2, loss: 0.25 },
      {
        ...control,
        phase: "control_eval",
        split: "test",
        decoding: "sampled",
        pass1: 0.75,
      },
    ].map((line) => `${JSON.stringify(line)}\n`).join("");
    const file = join(path, "metrics.jsonl");
    await Deno.writeTextFile(file, extra, { append: true });
    const { run, curves } = await source.view();
    const points = (key: string) =>
      curves.find((curve) => curve.key === key)?.points;
    assert.deepEqual(points("control/seconds.loss"), [[1, 0.5], [2, 0.25]]);
    assert.deepEqual(
      points("control_eval/seconds/test/sampled.pass1"),
      [[3, 0.75]],
    );
    assert.deepEqual([run.pass1, run.reward], [before.pass1, before.reward]);
  });
});

Deno.test("RunSource reports missing, damaged and newer files", async () => {
  await inRun(async (source, path) => {
    await source.index();
    const file = join(path, "episodes.db");
    const whole = await Deno.readFile(file);

    const db = new DatabaseSync(file);
    db.exec("PRAGMA user_version = 99");
    db.close();
    using newer = new RunSource(path, { find: () => [] });
    const tooNew = await faultOf(newer.index());
    assert.deepEqual([tooNew.kind, /99/.test(tooNew.message)], ["newer", true]);

    for (const side of ["-wal", "-shm"]) await Deno.remove(file + side);
    await Deno.writeTextFile(file, "this is no database".repeat(1000));
    using damaged = new RunSource(path, { find: () => [] });
    assert.equal((await faultOf(damaged.index())).kind, "damaged");
    assert.equal((await damaged.summary()).error, null);

    await Deno.remove(file);
    assert.equal((await faultOf(source.index())).kind, "gone");
    await Deno.writeFile(file, whole);
    assert.ok((await source.index()).total > 0);

    await Deno.writeTextFile(join(path, "run.json"), '{"schemaVersion":99}');
    assert.equal((await faultOf(source.view())).kind, "newer");
    await Deno.writeTextFile(join(path, "run.json"), "[]");
    assert.equal((await faultOf(source.view())).kind, "damaged");
    await Deno.remove(path, { recursive: true });
    assert.equal((await faultOf(source.view())).kind, "gone");
    assert.equal((await faultOf(source.episode(1))).kind, "gone");
    assert.match((await source.summary()).error ?? "", /is gone/);
    await Deno.mkdir(path);
  });
});

Deno.test("RunSource reports a damaged blob, and shows the other episodes", async () => {
  await inRun(async (_, path) => {
    const db = new DatabaseSync(join(path, "episodes.db"));
    db.exec("UPDATE episodes SET messages = x'00112233' WHERE id = 3");
    db.close();
    using source = new RunSource(path, { find: () => [] });
    const fault = await faultOf(source.episode(3));
    assert.equal(fault.kind, "damaged");
    assert.equal((await source.episode(20)).row.id, 20);
  });
});

Deno.test("RunSource reads runs of version 1, which had no reasons", async () => {
  await inRun(async (_, path) => {
    const db = new DatabaseSync(join(path, "episodes.db"));
    for (const column of ["reason", "usage", "findings"]) {
      db.exec(`ALTER TABLE episodes DROP COLUMN ${column}`);
    }
    db.exec("PRAGMA user_version = 1");
    db.close();
    using source = new RunSource(path, { find: () => [] });
    const row = (await source.index()).row(10);
    assert.deepEqual([row?.reason, row?.fault], [null, null]);
    assert.equal((await source.episode(10)).usage, null);
  });
});

Deno.test("RunSource does not modify the files of a run", async () => {
  await inRun(async (source, path) => {
    const before = await contents(path);
    const index = await source.index();
    await index.indexed();
    await source.episode(1);
    source[Symbol.dispose]();
    assert.deepEqual(await contents(path), before);
  });
});

/**
 * Returns the SHA-256 hash of each file in a directory, keyed by file name. Skips SQLite's `-shm` and `-wal` files,
 * which any reader creates.
 */
async function contents(path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, isFile } of Deno.readDir(path)) {
    if (!isFile || /-(shm|wal)$/.test(name)) continue;
    const bytes = await Deno.readFile(join(path, name));
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    found[name] = new Uint8Array(digest).toHex();
  }
  return found;
}

Deno.test("RunSource lists all episodes despite a damaged JSON cell, and reports it for that episode", async () => {
  await inRun(async (source, path) => {
    const [first, second] = await (await source.index())
      .ids(readQuery(new URLSearchParams("")));
    assert.ok(first !== undefined && second !== undefined);
    const db = new DatabaseSync(join(path, "episodes.db"));
    db.prepare("UPDATE episodes SET findings = ? WHERE id = ?")
      .run('[{"fault":', first);
    db.prepare("UPDATE episodes SET findings = ? WHERE id = ?")
      .run('["leak"]', second);
    db.close();
    using anew = new RunSource(path, { find: () => [] });
    const index = await anew.index();
    const ids = await index.ids(readQuery(new URLSearchParams("sort=fault")));
    assert.equal(ids.length, index.total);
    const fault = await faultOf(anew.episode(first));
    assert.equal(fault.kind, "damaged");
    assert.match(
      fault.message,
      RegExp(`^Episode ${first} of ".*episodes\\.db" is damaged.*; restore `),
    );
    const shaped = await faultOf(anew.episode(second));
    assert.equal(shaped.kind, "damaged");
    assert.match(
      shaped.message,
      /column "findings" contains .*does not have the format .* at "0"/,
    );
  });
});
