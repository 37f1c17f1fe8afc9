import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { EPISODE_COLUMNS } from "../../../train/runs/episode_columns.ts";
import {
  EPISODES_VERSION,
  factsOf,
  FILTER_FIELDS,
  frameOf,
  unknownFields,
} from "../../../train/runs/episode_facts.ts";
import { EpisodeStore } from "../../../train/runs/episode_store.ts";
import { fakeEpisode } from "../../support/lab.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const PLACE = { step: 3, source: "rl", group: 1, advantage: -0.5 };

Deno.test("each column is stored and read back unchanged", () =>
  inTempDir((dir) => {
    const episodes = [1, 0, null].map((value) => fakeEpisode({ value }));
    using store = new EpisodeStore(join(dir, "e.db"));
    store.add(episodes.map((episode) => ({ episode, place: PLACE })));
    assert.deepEqual(
      store.list(),
      episodes.map((episode, i) => ({ id: i + 1, ...factsOf(episode, PLACE) })),
    );
    return Promise.resolve();
  }));

Deno.test("a later column is empty in older databases, and added when they are written", () =>
  inTempDir((dir) => {
    const later = Object.entries(EPISODE_COLUMNS)
      .flatMap(([name, { options = {} }]) => {
        const { since = 1 }: { since?: number } = options;
        return since === 1 ? [] : [{ name, since }];
      });
    for (let version = 1; version < EPISODES_VERSION; version++) {
      const path = join(dir, `${version}.db`);
      const lacking = later.filter(({ since }) => since > version);
      {
        using store = new EpisodeStore(path);
        store.add([{ episode: fakeEpisode({ value: 1 }), place: PLACE }]);
      }
      {
        using old = new DatabaseSync(path);
        for (const { name } of lacking) {
          old.exec(`ALTER TABLE episodes DROP COLUMN ${name}`);
        }
        old.exec(`PRAGMA user_version = ${version}`);
      }
      for (const readOnly of [true, false]) {
        using store = new EpisodeStore(path, { readOnly });
        const frame = frameOf(store.get(1)!);
        for (const { name } of lacking) {
          const value = (frame as Record<string, unknown>)[name] ?? null;
          assert.equal(value, name === "benchmark" ? "tau" : null);
        }
        assert.equal(store.get(1)?.taskId, fakeEpisode({ value: 1 }).taskId);
      }
      using db = new DatabaseSync(path, { readOnly: true });
      assert.equal(
        db.prepare("PRAGMA user_version").get()?.["user_version"],
        EPISODES_VERSION,
      );
    }
    return Promise.resolve();
  }));

Deno.test("the viewer's fields have unique names, and a value if nothing is known", () => {
  const names = Object.values(EPISODE_COLUMNS).flatMap(({ options = {} }) => {
    const { field }: { field?: string } = options;
    return field === undefined ? [] : [field];
  });
  assert.deepEqual(Object.keys(FILTER_FIELDS), ["id", ...names]);
  assert.deepEqual(Object.keys(unknownFields()), ["id", ...names]);
  assert.equal(unknownFields().reward, null);
  assert.equal(unknownFields().model, "");
});
