import assert from "node:assert/strict";
import { join } from "node:path";
import type { EndedEpisode } from "../../../../env/serve/episode_service.ts";
import type { Episode } from "../../../../env/types.ts";
import {
  EpisodeRecorder,
  openEpisodeRecorder,
} from "../../../../train/slime/bridge/episode_recorder.ts";
import {
  type EpisodePlace,
  EpisodeStore,
} from "../../../../train/runs/episode_store.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const episode: Episode = {
  taskId: "retail/train/3",
  domain: "retail",
  split: "train",
  intent: null,
  seed: 1,
  agent: "tool-calling",
  model: "m",
  user: "scripted",
  messages: [{ role: "user", content: "hello" }],
  turns: [],
  trajectory: { ids: [1, 2], lossMask: [0, 1], logprobs: [0, -0.5] },
  stopReason: "max_turns",
  reward: null,
  reason: null,
  failure: null,
  retries: 0,
  parseErrors: 0,
  usage: {
    agent: {
      calls: 0,
      promptTokens: 0,
      cachedTokens: 0,
      completionTokens: 0,
      cost: 0,
      retries: 0,
    },
    user: {
      calls: 0,
      promptTokens: 0,
      cachedTokens: 0,
      completionTokens: 0,
      cost: 0,
      retries: 0,
    },
  },
  findings: null,
  startedAtMs: 0,
  durationMs: 1,
};

function ended(
  weightVersion?: string,
  request: Partial<EndedEpisode["request"]> = {},
): EndedEpisode {
  return {
    episode,
    weightVersion,
    request: {
      task: 3,
      split: "train",
      seed: 1,
      evaluation: false,
      sampling_params: { temperature: 1, top_p: 1, top_k: -1 },
      engine: "http://127.0.0.1:1",
      session_id: "s",
      ...request,
    },
  };
}

Deno.test("EpisodeRecorder records episodes with the step of their weights and their source", () =>
  inTempDir(async (dir) => {
    {
      await using recorder = await openEpisodeRecorder(dir);
      recorder.add(ended("7"));
      recorder.add(ended("default"));
      recorder.add(ended(undefined, { evaluation: true, split: "dev" }));
      const greedy = { temperature: 1, top_p: 1, top_k: 1 };
      recorder.add(
        ended("8", {
          evaluation: true,
          split: "test",
          sampling_params: greedy,
        }),
      );
      assert.equal(recorder.counts.kept, 0);
    }
    using store = new EpisodeStore(join(dir, "episodes.db"));
    assert.deepEqual(
      store.list().map(({ step, source, group }) => [step, source, group]),
      [
        [7, "slime", 3],
        [0, "slime", 3],
        [0, "eval/dev/sampled", 3],
        [8, "eval/test/greedy", 3],
      ],
    );
  }));

Deno.test("openEpisodeRecorder() lets several servers write to one run dir at once", () =>
  inTempDir(async (dir) => {
    const recorders = await Promise.all(
      Array.from({ length: 4 }, () => openEpisodeRecorder(dir)),
    );
    for (const recorder of recorders) {
      for (let i = 0; i < 30; i++) recorder.add(ended("1"));
    }
    await Promise.all(
      recorders.map((recorder) => recorder[Symbol.asyncDispose]()),
    );
    for (const { counts } of recorders) {
      assert.deepEqual(counts, { kept: 30, lost: 0 });
    }
    using store = new EpisodeStore(join(dir, "episodes.db"));
    assert.equal(store.list().length, 120);
  }));

Deno.test("EpisodeRecorder counts episodes that it cannot write, and never throws", async () => {
  let broken = true;
  const places: EpisodePlace[] = [];
  const recorder = new EpisodeRecorder({
    add(items) {
      if (broken) throw new Error("the disk is full");
      places.push(...items.map(({ place }) => place));
    },
    [Symbol.dispose]() {},
  });
  for (let i = 0; i < 3000; i++) recorder.add(ended("1"));
  assert.equal(recorder.counts.lost, 3000 - 2048);
  await recorder[Symbol.asyncDispose]();
  assert.deepEqual(recorder.counts, { kept: 0, lost: 3000 });
  assert.match(recorder.lastError!, /disk is full/);
  broken = false;
  await assert.rejects(
    openEpisodeRecorder("not/there"),
    /pass --record with an existing, writable run dir/,
  );
});
