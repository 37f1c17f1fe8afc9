import assert from "node:assert/strict";
import { join } from "node:path";
import { HostError } from "../../../../env/errors.ts";
import { EpisodeStore } from "../../../../train/runs/episode_store.ts";
import { localShell } from "../../../../train/slime/hosts/local_shell.ts";
import { collectEpisodes } from "../../../../train/slime/launch/collect_episodes.ts";
import type { Fleet } from "../../../../train/slime/launch/fleet.ts";
import type { SlimeRun } from "../../../../train/slime/launch/slime_run.ts";
import { fakeEpisode } from "../../../support/lab.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

function recordsOf(...hosts: readonly string[]) {
  return hosts.map((host) => ({
    url: "http://h:1",
    pid: 1,
    instance: "",
    host,
  }));
}

/** A fleet in which every host is this machine, except `gone`, which cannot be reached. */
const fleet = {
  shellOf: (name: string) => ({
    ...localShell(),
    name,
    ...(name === "gone"
      ? { run: () => Promise.reject(new HostError("gone: no route to it")) }
      : {}),
  }),
} as unknown as Fleet;

Deno.test("collectEpisodes() merges the databases of all hosts, and reports the ones it cannot copy", () =>
  inTempDir(async (dir) => {
    const run = {
      path: join(dir, "runs/a"),
      config: { paths: { runs: join(dir, "hosts"), python: "python3" } },
    } as unknown as SlimeRun;
    const notes: string[] = [];
    const bring = (...hosts: readonly string[]) =>
      collectEpisodes(run, {
        fleet,
        records: recordsOf(...hosts),
        onNote: (text) => notes.push(text),
      });
    const kept = () => {
      using store = new EpisodeStore(join(run.path, "episodes.db"));
      return store.list().map(({ reward }) => reward);
    };
    await Deno.mkdir(run.path, { recursive: true });
    await Deno.mkdir(join(dir, "hosts/a"), { recursive: true });
    await bring("gpu1", "this machine");
    assert.deepEqual(await Array.fromAsync(Deno.readDir(run.path)), []);

    const place = { step: 1, source: "slime", group: 0, advantage: null };
    // Open while it is copied, like the database of a server that was killed.
    using there = new EpisodeStore(join(dir, "hosts/a/episodes.db"));
    there.add([0, 1].map((value) => ({
      episode: fakeEpisode({ value }),
      place,
    })));
    await bring("gpu1", "gpu1");
    assert.deepEqual(kept(), [0, 1]);
    await bring("gpu1", "gone", "gpu2");
    assert.deepEqual(kept(), [0, 1, 0, 1]);
    assert.match(
      notes.join(),
      /^Cannot copy the episodes from gone; .*no route to it$/,
    );
    const left = await Array.fromAsync(Deno.readDir(run.path));
    assert.deepEqual(left.map(({ name }) => name), ["episodes.db"]);
  }));
