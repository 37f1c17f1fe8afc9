import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FIELDS } from "../../../notebooks/viewer/page/fields.js";
import {
  comparer,
  matches,
  readQuery,
} from "../../../notebooks/viewer/page/filter.js";
import type { EpisodeRow } from "../../../notebooks/viewer/protocol.ts";
import { RunSource } from "../../../notebooks/viewer/run_source.ts";
import { TrainingDir } from "../../../train/runs/training_dir.ts";
import { openDataset } from "../../../train/config/open_dataset.ts";
import { addStep, BIG_CONFIG, writeBigRun } from "../../support/big_run.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const ALL = readQuery(new URLSearchParams());
const QUERIES = [
  "",
  "reward=<1&sort=-turns",
  "reward=0&reason=missing_write&sort=task",
  "step=2..5&sort=-advantage",
  "intent=~modify&sort=reward",
  "failure=!=none",
  "fault=none&sort=-fault",
  "task=retail/train/1,retail/train/2&sort=-seed",
];

Deno.test("EpisodeIndex filters and sorts as the page's own code does", async () => {
  await inTempDir(async (dir) => {
    await writeBigRun(join(dir, "a"));
    using source = new RunSource(join(dir, "a"), { find: () => [] });
    const index = await source.index();
    const { rows: all, total } = await index.page(ALL, {
      offset: 0,
      limit: 500,
    });
    assert.equal(all.length, total);
    for (const text of QUERIES) {
      const query = readQuery(new URLSearchParams(text));
      const wanted = all.filter((row) => matches(query.conditions, row))
        .sort(comparer(query.sort)).map(({ id }) => id);
      assert.ok(wanted.length > 0 || text.startsWith("failure"), text);
      assert.deepEqual([...await index.ids(query)], wanted, text);
      // The first rows of a list are found by a different query than the whole list.
      const page = await index.page(query, { offset: 0, limit: 20 });
      assert.deepEqual(
        page.rows.map(({ id }) => id),
        wanted.slice(0, 20),
        text,
      );
      assert.equal(page.matched, wanted.length);
    }
  });
});

Deno.test("EpisodeIndex.facets() counts the episodes that each choice would keep", async () => {
  await inTempDir(async (dir) => {
    await writeBigRun(join(dir, "a"));
    using source = new RunSource(join(dir, "a"), { find: () => [] });
    const index = await source.index();
    for (
      const text of [
        "",
        "reward=0",
        "reward=0&step=2..5",
        "reason=missing_write&intent=return",
      ]
    ) {
      const params = new URLSearchParams(text);
      const facets = await index.facets(readQuery(params));
      for (const [field, values] of Object.entries(facets)) {
        for (const { value, count } of values) {
          const chosen = new URLSearchParams(params);
          chosen.set(field, value === null ? "none" : String(value));
          // A value with commas would be a list in a URL.
          if (String(value).includes(",")) continue;
          const ids = await index.ids(readQuery(chosen));
          assert.equal(ids.length, count, `${text} ${field}=${value}`);
        }
      }
    }
  });
});

Deno.test("EpisodeIndex searches messages, calls and results", async () => {
  await inTempDir(async (dir) => {
    await writeBigRun(join(dir, "a"));
    using source = new RunSource(join(dir, "a"), { find: () => [] });
    const index = await source.index();
    await index.indexed();
    assert.deepEqual(index.text, { indexed: index.total, total: index.total });
    for (
      const word of ["exchange_delivered_order_items", '"credit card"', "paypa"]
    ) {
      const ids = await index.ids(
        readQuery(new URLSearchParams({ text: word })),
      );
      const found = new Set(ids);
      const bare = word.replaceAll('"', "").toLowerCase();
      assert.ok(found.size > 0 && found.size < index.total, word);
      for (let id = 1; id <= index.total; id += 17) {
        const { messages } = await source.episode(id);
        const isSaid = JSON.stringify(messages).toLowerCase().replaceAll(
          "_",
          " ",
        )
          .includes(bare.replaceAll("_", " "));
        assert.equal(found.has(id), isSaid, `${word} in ${id}`);
      }
    }
  });
});

Deno.test("EpisodeIndex follows a run that grows or is truncated", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "a");
    await writeBigRun(path, { completed: false });
    using source = new RunSource(path, { find: () => [] });
    const before = (await source.index()).total;
    const dataset = await openDataset(BIG_CONFIG.data);
    const run = await TrainingDir.resume(path).catch(() => undefined);
    // There is no checkpoint, so resuming drops all steps.
    assert.equal(run?.metrics.length, 0);
    const index = await source.index();
    assert.equal(index.total, 0);
    assert.deepEqual((await index.page(ALL, { offset: 0, limit: 5 })).rows, []);
    await addStep(run!, 1, dataset);
    const grown = (await source.index()).total;
    assert.ok(grown > 0 && grown < before);
    const { rows } = await index.page(ALL, { offset: 0, limit: 500 });
    assert.deepEqual([...new Set(rows.map(({ step }) => step))], [1]);
    await index.indexed();
    const yes = await index.ids(readQuery(new URLSearchParams("text=yes")));
    assert.ok(yes.length > 0 && yes.length <= grown);
    await run![Symbol.asyncDispose]();
  });
});

Deno.test("EpisodeIndex notices replaced episodes", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "a");
    await writeBigRun(path);
    using source = new RunSource(path, { find: () => [] });
    const index = await source.index();
    await index.ids(ALL);
    const db = new DatabaseSync(join(path, "episodes.db"));
    db.exec("UPDATE episodes SET seed = seed + 1, reward = 1 WHERE id > 300");
    db.close();
    await source.index();
    const query = readQuery(new URLSearchParams("id=>300"));
    const { rows } = await index.page(query, { offset: 0, limit: 100 });
    assert.deepEqual([...new Set(rows.map(({ reward }) => reward))], [1]);
  });
});

Deno.test("EpisodeIndex returns an episode's position and neighbors", async () => {
  await inTempDir(async (dir) => {
    await writeBigRun(join(dir, "a"));
    using source = new RunSource(join(dir, "a"), { find: () => [] });
    const index = await source.index();
    const query = readQuery(new URLSearchParams("reward=0&sort=-id"));
    const ids = [...await index.ids(query)];
    for (const [i, id] of ids.entries()) {
      assert.deepEqual(await index.place(query, id), {
        position: i,
        matched: ids.length,
        previous: ids[i - 1] ?? null,
        next: ids[i + 1] ?? null,
      });
    }
    const solved =
      (await index.ids(readQuery(new URLSearchParams("reward=1"))))[0]!;
    assert.equal((await index.place(query, solved)).position, null);
  });
});

Deno.test("EpisodeRow has every field of a filter", async () => {
  await inTempDir(async (dir) => {
    await writeBigRun(join(dir, "a"));
    using source = new RunSource(join(dir, "a"), { find: () => [] });
    const row: EpisodeRow | undefined = (await source.index()).row(1);
    assert.deepEqual(Object.keys(row ?? {}).sort(), Object.keys(FIELDS).sort());
  });
});
