import assert from "node:assert/strict";
import type { Job } from "../../train/lab.ts";
import {
  groupEpisodes,
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

/** Episodes of which the first of a task succeeds, the others as `later` says. */
function play(jobs: readonly Job[], later: (task: number) => number | null) {
  return Promise.resolve(
    jobs.map(({ task }, i) =>
      fakeEpisode({ task, value: i % 2 === 0 ? 1 : later(task.index) })
    ),
  );
}

Deno.test("sampleGroups() stops once enough groups disagree", async () => {
  const sample = (jobs: readonly Job[]) => play(jobs, () => 0);
  const { groups, episodes, refilled } = await sampleGroups(tasks, {
    ...settings,
    maxRefills: 5,
    sample,
  });
  assert.deepEqual([groups.length, episodes.length, refilled], [3, 6, 0]);
  assert.deepEqual(groups[0]!.advantages, [0.5, -0.5]);
});

Deno.test("sampleGroups() takes as many new tasks as groups agreed, up to the bound", async () => {
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

Deno.test("sampleGroups() ends when the tasks do", async () => {
  const sample = (jobs: readonly Job[]) => play(jobs, () => 1);
  const result = await sampleGroups(tasks, {
    ...settings,
    maxRefills: 50,
    sample,
  });
  assert.equal(result.groups.length, 10);
});

Deno.test("groupEpisodes() compares only what was scored, and drops groups without any", () => {
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
