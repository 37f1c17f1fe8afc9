import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expertAgent } from "../../../env/agents/expert.ts";
import { generated } from "../../../env/generated/generated.ts";
import { rolloutAll } from "../../../env/rollout.ts";
import { trialSpecs } from "../../../env/trials.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import {
  EPISODE_INTEGERS,
  episodeRows,
} from "../../../train/runs/episode_rows.ts";
import { EpisodeStore } from "../../../train/runs/episode_store.ts";
import { readEpisodeRows } from "../../../train/runs/read_episode_rows.ts";
import { newRunInfo } from "../../../train/runs/run_info.ts";
import { writeFailedRun } from "../../support/failed_run.ts";
import { inTempDir } from "../../support/temp_dir.ts";

Deno.test("readEpisodeRows() reads a run's episodes, including those whose infrastructure failed", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "some-run");
    await writeFailedRun(path);
    const rows = await readEpisodeRows(path);
    assert.deepEqual(
      rows.map(({ run, reward, failure_kind, failure_source }) => [
        run,
        reward,
        failure_kind,
        failure_source,
      ]),
      [
        ...[1, 1, 0, 0, 0].map((reward) => ["some-run", reward, null, null]),
        ["some-run", null, "timeout", "user"],
      ],
    );
    assert.equal(rows[5]?.failure, "no answer in 60 s");
    assert.equal(rows[5]?.reward_database, null);
    assert.equal(rows[0]?.source, "evaluate/test");
    const one = await readEpisodeRows(path, { taskId: "retail/test/3" });
    assert.deepEqual(one, rows.filter(({ group_index }) => group_index === 3));
  });
});

Deno.test("readEpisodeRows() skips an episode whose JSON is damaged, and names it", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "some-run");
    await writeFailedRun(path);
    const before = await readEpisodeRows(path);
    using db = new DatabaseSync(join(path, "episodes.db"));
    db.exec(`UPDATE episodes SET reward_detail = '{"value": 1' WHERE id = 2`);
    const damaged: string[] = [];
    const rows = await readEpisodeRows(path, {
      onDamaged: (what) => damaged.push(what),
    });
    assert.deepEqual(
      rows.map(({ id }) => id),
      before.map(({ id }) => id).filter((id) => id !== 2),
    );
    assert.equal(damaged.length, 1);
    assert.match(
      damaged[0]!,
      /^Episode 2 of "\S*some-run\/episodes\.db" is damaged: column "reward_detail" contains .*; restore /,
    );
    using store = new EpisodeStore(join(path, "episodes.db"), {
      readOnly: true,
    });
    // Resuming a run requires all of its episodes.
    assert.throws(() => store.list(), {
      name: "DataError",
      message: /^Episode 2 /,
    });
    assert.equal(store.get(1)?.id, 1);
  });
});

Deno.test("EpisodeStore names an episode whose JSON has another shape, and the path within it", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "some-run");
    await writeFailedRun(path);
    const file = join(path, "episodes.db");
    const WRONG = [
      ["reward_detail", "{}", "parts"],
      ["reward_detail", "[]", null],
      ["failure", '{"kind":"timeout","source":"user","message":3}', "message"],
      ["findings", '["leak"]', "0"],
      ["findings", "{}", null],
      ["usage", '{"agent":{}}', "agent.calls"],
    ] as const;
    for (const [name, cell, at] of WRONG) {
      await Deno.copyFile(file, join(dir, "copy.db"));
      {
        using db = new DatabaseSync(join(dir, "copy.db"));
        db.prepare(`UPDATE episodes SET ${name} = ? WHERE id = 2`).run(cell);
      }
      using store = new EpisodeStore(join(dir, "copy.db"), { readOnly: true });
      const { episodes, damaged } = store.readable();
      assert.ok(episodes.length > 0 && episodes.every(({ id }) => id !== 2));
      const [one, ...more] = damaged;
      assert.deepEqual([one?.id, more], [2, []]);
      assert.ok(
        one!.what.includes(`copy.db" is damaged: column "${name}" contains `),
      );
      assert.match(one!.what, /does not have the format .*; restore the file /);
      assert.ok(at === null || one!.what.includes(`at "${at}"`), one!.what);
    }
  });
});

Deno.test("episodeRows() equal the rows of a run with these episodes, except for their place", async () => {
  await inTempDir(async (path) => {
    const dataset = await generated(4, {
      trainTasks: 1,
      devTasks: 1,
      testTasks: 4,
    });
    const specs = trialSpecs(dataset.tasks("test"), {
      dataset,
      agent: expertAgent(),
      user: scriptedUser(dataset),
      seed: 1,
      trials: 3,
    });
    const episodes = await rolloutAll(specs);
    const info = await newRunInfo({ seed: 1, dataset, now: new Date(0) });
    await Deno.writeTextFile(join(path, "run.json"), JSON.stringify(info));
    {
      using store = new EpisodeStore(join(path, "episodes.db"));
      const place = { step: 2, source: "rl", group: 0, advantage: 0.5 };
      store.add(episodes.map((episode) => ({ episode, place })));
    }
    const rows = episodeRows(episodes);
    const place = { run: null, step: null, source: null, group_index: null };
    assert.deepEqual(
      (await readEpisodeRows(path)).map((row, id) => ({
        ...row,
        ...place,
        id,
        advantage: null,
      })),
      rows,
    );
    assert.deepEqual(
      rows.map(({ trial }) => trial),
      [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2],
    );
  });
});

Deno.test("episodeRows() have the names of the columns of episodes.db and plain values", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "run");
    await writeFailedRun(path);
    const rows = await readEpisodeRows(path);
    using db = new DatabaseSync(join(path, "episodes.db"), { readOnly: true });
    const columns = db.prepare("PRAGMA table_info(episodes)").all()
      .map(({ name }) => String(name));
    const nested = ["reward_detail", "usage", "findings"];
    const blobs = ["messages", "turns", "tokens"];
    const names = Object.keys(rows[0] ?? {});
    const missing = columns.filter((name) => !names.includes(name));
    assert.deepEqual(missing.toSorted(), [...nested, ...blobs].toSorted());
    for (const row of rows) {
      assert.deepEqual(Object.keys(row), names);
      for (const value of Object.values(row)) {
        assert.ok(value === null || typeof value !== "object");
      }
      for (const name of EPISODE_INTEGERS) {
        assert.ok(row[name] === null || Number.isInteger(row[name]), name);
      }
    }
  });
});

Deno.test("readEpisodeRows() says what is missing", async () => {
  await inTempDir(async (dir) => {
    await assert.rejects(readEpisodeRows(join(dir, "no")), {
      name: "ConfigError",
      message: /There is no run at /,
    });
    const info = await newRunInfo({
      seed: 1,
      dataset: { name: "a", fingerprint: "b" },
      now: new Date(0),
    });
    await Deno.writeTextFile(join(dir, "run.json"), JSON.stringify(info));
    await assert.rejects(readEpisodeRows(dir), {
      name: "ConfigError",
      message: /has kept no episodes/,
    });
  });
});
