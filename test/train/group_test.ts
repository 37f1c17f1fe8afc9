import assert from "node:assert/strict";
import type { Job } from "../../train/lab.ts";
import {
  groupEpisodes,
  type GroupOptions,
  placeEpisodes,
  sampleGroups,
} from "../../train/group.ts";
import { fakeEpisode, fakeTask } from "../support/lab.ts";

const tasks = Array.from({ length: 10 }, (_, i) => fakeTask("train", i));
const settings = {
  tasksPerStep: 3,
  groupSize: 2,
  advantage: "dr-grpo" as const,
  seedOf: () => 1,
};

/** Plays two fake episodes per task. The first one succeeds, and `later` determines the reward of the second. */
function play(jobs: readonly Job[], later: (task: number) => number | null) {
  return Promise.resolve(
    jobs.map(({ task }, i) =>
      fakeEpisode({ task, value: i % 2 === 0 ? 1 : later(task.index) })
    ),
  );
}

Deno.test("sampleGroups() stops once enough groups have differing rewards", async () => {
  const sample = (jobs: readonly Job[]) => play(jobs, () => 0);
  const { groups, episodes, refilled } = await sampleGroups(tasks, {
    ...settings,
    maxRefills: 5,
    sample,
  });
  assert.deepEqual([groups.length, episodes.length, refilled], [3, 6, 0]);
  assert.deepEqual(groups[0]!.advantages, [0.5, -0.5]);
});

Deno.test("sampleGroups() replaces groups with equal rewards, up to the limit", async () => {
  const asked: number[][] = [];
  const sample = (jobs: readonly Job[]) => {
    asked.push(
      jobs.filter((_, i) => i % 2 === 0).map(({ task }) => task.index),
    );
    return play(jobs, (task) => task === 1 ? 0 : 1);
  };
  const result = await sampleGroups(tasks, {
    ...settings,
    maxRefills: 2,
    sample,
  });
  assert.deepEqual(asked, [[0, 1, 2], [3, 4], [5, 6]]);
  assert.equal(result.refilled, 4);
});

Deno.test("sampleGroups() ends when there are no more tasks", async () => {
  const sample = (jobs: readonly Job[]) => play(jobs, () => 1);
  const result = await sampleGroups(tasks, {
    ...settings,
    maxRefills: 50,
    sample,
  });
  assert.equal(result.groups.length, 10);
});

Deno.test("groupEpisodes() compares only scored episodes, and drops groups without any", () => {
  const values = [1, null, 0, null, null, null];
  const episodes = values.map((value, i) =>
    fakeEpisode({ task: tasks[Math.floor(i / 3)]!, value })
  );
  const groups = groupEpisodes(tasks.slice(0, 2), episodes, {
    groupSize: 3,
    advantage: "dr-grpo" as const,
  });
  assert.equal(groups.length, 1);
  assert.deepEqual(groups[0]!.rewards, [1, 0]);
  const places = placeEpisodes(groups, episodes, 7).map((
    { place },
  ) => [place.group, place.advantage]);
  assert.deepEqual(places, [[0, 0.5], [0, null], [0, -0.5], [-1, null], [
    -1,
    null,
  ], [-1, null]]);
});

Deno.test("groupEpisodes() credits turns if configured", () => {
  const ends = [[5, 7, 9, 2, 4], [5, 8, 8, 2, 6], [5, 7, 7, 3, 6]];
  const episodes = ends.map((ids, i) => ({
    ...fakeEpisode({ task: tasks[0]!, value: i === 0 ? 1 : 0 }),
    trajectory: {
      ids,
      lossMask: [0, 1, 1, 0, 1] as const,
      logprobs: [0, -1, -1, 0, -1],
    },
  }));
  const rows = (options: Partial<GroupOptions>) =>
    groupEpisodes([tasks[0]!], episodes, {
      groupSize: 3,
      advantage: "dr-grpo",
      ...options,
    })[0]!.tokenAdvantages;
  const round = (all: ReturnType<typeof rows>) =>
    all?.map((row) => row.map((value) => Math.round(value * 60) / 10));
  assert.equal(rows({}), undefined);
  assert.equal(rows({ credit: "episode" }), undefined);
  // Values are in sixths. The first two episodes are in the same state in the second turn, because they got the same
  // answer to different words. The third got another answer.
  assert.deepEqual(round(rows({ credit: "gigpo" })), [
    [0, 8, 8, 0, 7],
    [0, -4, -4, 0, -5],
    [0, -4, -4, 0, -2],
  ]);
  assert.deepEqual(round(rows({ credit: "vineppo", creditWeight: 2 })), [
    [0, 6, 6, 0, 10],
    [0, 0, 0, 0, -8],
    [0, -6, -6, 0, -2],
  ]);
});
