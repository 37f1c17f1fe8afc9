import assert from "node:assert/strict";
import { expertAgent } from "../../env/agents/expert.ts";
import { generated } from "../../env/generated/generated.ts";
import { trialSpecs } from "../../env/trials.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import { evaluationSchema } from "../../train/evaluation/evaluation_config.ts";
import { jobsOf } from "../../train/evaluation/evaluate.ts";

const dataset = await generated(3, {
  trainTasks: 1,
  devTasks: 1,
  testTasks: 3,
});
const tasks = dataset.tasks("test");
const shared = {
  dataset,
  agent: expertAgent(),
  user: scriptedUser(dataset),
  seed: 7,
};

Deno.test("trialSpecs() has the tasks, trials and seeds of an evaluation, in its order", () => {
  const config = evaluationSchema.parse({ split: "test", seed: 7, trials: 2 });
  assert.deepEqual(
    trialSpecs(tasks, { ...shared, trials: 2 })
      .map(({ task, seed }) => [task.id, seed]),
    jobsOf(dataset, config).map(({ task, seed }) => [task.id, seed]),
  );
});

Deno.test("trialSpecs() gives every trial its own seed, independent of the other tasks", () => {
  const all = trialSpecs(tasks, { ...shared, trials: 4 });
  assert.equal(new Set(all.map(({ seed }) => seed)).size, 3 * 4);
  const one = trialSpecs(tasks.slice(1, 2), { ...shared, trials: 4 });
  assert.deepEqual(
    one.map(({ seed }) => seed),
    all.filter(({ task }) => task === tasks[1]).map(({ seed }) => seed),
  );
});

Deno.test("trialSpecs() has one trial per task by default, and rejects zero and fractional trials", () => {
  assert.equal(trialSpecs(tasks, shared).length, 3);
  for (const trials of [0, -1, 1.5, NaN]) {
    assert.throws(() => trialSpecs(tasks, { ...shared, trials }), RangeError);
  }
});
