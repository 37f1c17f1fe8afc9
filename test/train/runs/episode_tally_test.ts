import assert from "node:assert/strict";
import { join } from "node:path";
import type { Episode, Turn } from "../../../env/types.ts";
import type { EpisodePlace } from "../../../train/runs/episode_columns.ts";
import { EpisodeStore } from "../../../train/runs/episode_store.ts";
import {
  type EpisodeTally,
  namedTasks,
  WINDOW,
} from "../../../train/runs/episode_tally.ts";
import { fakeEpisode } from "../../support/lab.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const place = (
  step: number,
  source = "rl",
  group = 0,
): EpisodePlace => ({ step, source, group, advantage: null });

function calling(...names: string[]): Turn[] {
  return names.map((name) => ({
    action: {
      type: "tool",
      call: { id: "1", name, arguments: new Map() },
    },
    observation: { source: "tool", content: "", done: false },
  }));
}

const episode = (value: number | null, more: Partial<Episode> = {}) => ({
  ...fakeEpisode({ value }),
  turns: [],
  ...more,
});

async function tallyOf(
  items: readonly { episode: Episode; place: EpisodePlace }[],
): Promise<EpisodeTally | null> {
  const tallies: (EpisodeTally | null)[] = [];
  await inTempDir((dir) => {
    using store = new EpisodeStore(join(dir, "episodes.db"));
    store.add(items);
    tallies.push(store.tally());
    return Promise.resolve();
  });
  return tallies[0] ?? null;
}

Deno.test("tally() is null without episodes", async () => {
  assert.equal(await tallyOf([]), null);
});

Deno.test("tally() counts the last steps of the training source, and the failures of all sources", async () => {
  const failed = episode(null, {
    failure: { kind: "timeout", source: "user", message: "" },
  });
  const tally = await tallyOf([
    { episode: episode(0, { turns: calling("old") }), place: place(1) },
    { episode: episode(0, { parseErrors: 2 }), place: place(2 + WINDOW) },
    {
      episode: episode(0, { turns: calling("b", "a", "b") }),
      place: place(2 + WINDOW),
    },
    { episode: episode(1), place: place(3 + WINDOW, "rl", 1) },
    { episode: failed, place: place(3 + WINDOW, "rl", 1) },
    { episode: failed, place: place(3, "eval/test/greedy") },
    ...Array.from({ length: 9 }, () => ({
      episode: episode(1),
      place: place(3, "eval/test/greedy"),
    })),
  ]);
  assert.ok(tally !== null);
  assert.deepEqual(
    [tally.source, tally.from, tally.to, tally.isTraining, tally.episodes],
    ["rl", 4, 3 + WINDOW, true, 15],
  );
  assert.deepEqual(tally.failures, [
    { source: "user", kind: "timeout", episodes: 2 },
  ]);
  const { inWindow } = tally;
  assert.deepEqual([inWindow.episodes, inWindow.scored], [4, 3]);
  assert.deepEqual(
    inWindow.groups.map(({ scored, best, worst }) => [scored, best, worst]),
    [[2, 0, 0], [1, 1, 1]],
  );
  assert.deepEqual(inWindow.tools, new Set(["a", "b"]));
  assert.deepEqual(tally.earlierTools, new Set(["old"]));
  assert.deepEqual(tally.parseErrors, [
    { step: 1, errors: 0, episodes: 1 },
    { step: 2 + WINDOW, errors: 2, episodes: 2 },
    { step: 3 + WINDOW, errors: 0, episodes: 2 },
  ]);
});

Deno.test("tally() counts each fault of the user once per episode", async () => {
  const finding = (fault: "leak" | "echo") => ({
    fault,
    message: 0,
    evidence: "",
  });
  const tally = await tallyOf([
    episode(0, { findings: [finding("leak"), finding("echo")] }),
    episode(0, { findings: [finding("leak"), finding("leak")] }),
    episode(1, { findings: [] }),
  ].map((episode) => ({ episode, place: place(0, "evaluate/test") })));
  assert.deepEqual(tally?.inWindow.faults, new Map([["leak", 2], ["echo", 1]]));
  assert.deepEqual([tally?.isTraining, tally?.from], [false, 0]);
});

Deno.test("namedTasks() names the first few", () => {
  assert.equal(namedTasks(["a", "b"]), "a, b");
  const many = Array.from({ length: 10 }, (_, i) => `t${i}`);
  assert.match(namedTasks(many), /^t0, .*t7 and 2 more$/);
});
