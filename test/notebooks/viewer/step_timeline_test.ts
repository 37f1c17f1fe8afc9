import assert from "node:assert/strict";
import { join } from "node:path";
import { stepTimeline } from "../../../notebooks/viewer/step_timeline.ts";
import { lanesOf } from "../../../notebooks/viewer/page/timeline.js";
import { EpisodeStore } from "../../../train/runs/episode_store.ts";
import { fakeEpisode } from "../../support/lab.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const line = (
  step: number,
  phase: string,
  seconds: Record<string, number>,
) => ({
  step,
  phase,
  timing: { seconds },
});

const LINES = [
  line(1, "rl", { rollout: 2, update: 1, total: 3 }),
  line(1, "eval", { save: 0.25, rollout: 9, total: 9.25 }),
  line(2, "rl", { rollout: 4, update: 2, total: 6 }),
];

function withStore(body: (store: EpisodeStore) => void): Promise<void> {
  return inTempDir((dir) => {
    using store = new EpisodeStore(join(dir, "episodes.db"));
    const place = { source: "rl", group: 0, advantage: null };
    store.add([
      {
        episode: {
          ...fakeEpisode({ value: 1 }),
          startedAtMs: 5000,
          durationMs: 1200,
          spans: [
            { kind: "user", ms: 200 },
            { kind: "model", ms: 900 },
            { kind: "environment", ms: 100 },
          ],
        },
        place: { ...place, step: 1 },
      },
      {
        episode: {
          ...fakeEpisode({ value: 0 }),
          startedAtMs: 5500,
          durationMs: 700,
          spans: [{ kind: "retries", ms: 600 }, { kind: "model", ms: 100 }],
        },
        place: { ...place, step: 1 },
      },
      { episode: fakeEpisode({ value: 0 }), place: { ...place, step: 2 } },
      {
        episode: fakeEpisode({ value: 0 }),
        place: { ...place, step: 9, source: "eval/test/greedy" },
      },
    ]);
    body(store);
    return Promise.resolve();
  });
}

Deno.test("stepTimeline() lays out phases end to end, and each episode's spans from the rollout's start", () =>
  withStore((store) => {
    const { phases, episodes, waited, steps, source, leftOut } = stepTimeline(
      store,
      { lines: LINES, step: 1 },
    );
    assert.deepEqual([steps, source, leftOut], [[1, 2], "rl", 0]);
    assert.deepEqual(phases, [
      { kind: "rollout", startMs: 0, ms: 2000 },
      { kind: "update", startMs: 2000, ms: 1000 },
      { kind: "save", startMs: 3000, ms: 250 },
    ]);
    assert.deepEqual(
      episodes.map(({ id, startMs, ms }) => [id, startMs, ms]),
      [[1, 0, 1200], [2, 500, 700]],
    );
    assert.deepEqual(episodes[0]?.spans, [
      { kind: "user", startMs: 0, ms: 200 },
      { kind: "model", startMs: 200, ms: 900 },
      { kind: "environment", startMs: 1100, ms: 100 },
    ]);
    assert.deepEqual(waited, {
      model: 1000,
      user: 200,
      environment: 100,
      retries: 600,
    });
  }));

Deno.test("stepTimeline() defaults to the last step, and shows a run without recorded spans", () =>
  withStore((store) => {
    const { step, waited, phases } = stepTimeline(store, { lines: LINES });
    assert.deepEqual([step, waited], [2, null]);
    assert.deepEqual(phases.map(({ kind }) => kind), ["rollout", "update"]);
    assert.throws(
      () => stepTimeline(store, { lines: LINES, step: 7 }),
      /no step 7 of the source "rl", only 2 steps from 1 to 2/,
    );
  }));

Deno.test("lanesOf() uses as many lanes as there are concurrent episodes", () => {
  const episode = (id: number, startMs: number, ms: number) => ({
    ...{ id, startMs, ms, task: "t", reward: 1, failure: null, spans: [] },
  });
  const lanes = lanesOf([
    episode(1, 0, 10),
    episode(2, 5, 10),
    episode(3, 10, 1),
    episode(4, 20, 5),
  ]);
  assert.deepEqual(
    lanes.map((lane) => lane.map(({ id }) => id)),
    [[1, 3, 4], [2]],
  );
});
