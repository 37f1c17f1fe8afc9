/** Defines the contract tests that every environment must pass, regardless of its dataset. */

import assert from "node:assert/strict";
import { createEnvironment } from "../../env/environment.ts";
import { goldOf } from "../../env/gold.ts";
import type { Dataset, Environment, Task, User } from "../../env/types.ts";

/** A user for tests in which the user's messages do not matter. */
const user: User = {
  open: () => Promise.resolve("hello"),
  reply: () => Promise.resolve("fine"),
};

/**
 * Registers the contract tests for the environments of a dataset.
 * @param load Creates or reads the dataset.
 */
export function environmentContract(
  name: string,
  load: () => Promise<Dataset>,
): void {
  Deno.test(`${name}: gold actions and stated outputs earn every task's reward`, async () => {
    const dataset = await load();
    for (const task of tasksOf(dataset)) {
      const environment = await playGold(dataset, task);
      const { value, differences, missingOutputs } = environment.reward();
      assert.deepEqual(
        [value, differences, missingOutputs],
        [1, [], []],
        task.id,
      );
    }
  });

  Deno.test(`${name}: the do-nothing baseline earns the reward if and only if the gold changes nothing and has no outputs`, async () => {
    const dataset = await load();
    for (const task of tasksOf(dataset)) {
      const environment = createEnvironment({ dataset, task, user });
      await environment.open();
      const isRight = goldOf(dataset, task).changes().length === 0 &&
        task.outputs.length === 0;
      assert.equal(environment.reward().value, isRight ? 1 : 0, task.id);
    }
  });

  Deno.test(`${name}: the reward agrees with the states' hashes, and computing it changes nothing`, async () => {
    const dataset = await load();
    const tasks = tasksOf(dataset).filter((_, i) => i % 10 === 0);
    for (const [i, task] of tasks.entries()) {
      // The gold actions of another task, which are mostly wrong here.
      const other = tasks[(i + 1) % tasks.length] ?? task;
      const environment = await playGold(dataset, task, other);
      const hash = environment.database.hash();
      const { parts } = environment.reward();
      assert.equal(parts.database === 1, hash === goldOf(dataset, task).hash());
      assert.equal(environment.database.hash(), hash);
      assert.deepEqual(environment.reward().parts, parts);
    }
  });

  Deno.test(`${name}: episodes do not change the dataset`, async () => {
    const dataset = await load();
    const before = dataset.database.hash();
    for (const task of tasksOf(dataset)) await playGold(dataset, task);
    assert.equal(dataset.database.hash(), before);
    assert.deepEqual(dataset.database.changes(), []);
  });
}

function tasksOf(dataset: Dataset): readonly Task[] {
  return dataset.splits.flatMap((split) => dataset.tasks(split));
}

/**
 * Plays an episode of `task` in which the agent tells the user the outputs of the task `other`, then makes the gold
 * calls of `other`.
 */
async function playGold(
  dataset: Dataset,
  task: Task,
  other: Task = task,
): Promise<Environment> {
  const environment = createEnvironment({ dataset, task, user });
  await environment.open();
  const content = other.outputs.join(" ; ");
  await environment.step({ type: "respond", content });
  for (const { name, arguments: args } of other.actions) {
    const call = { id: "", name, arguments: args };
    const { done } = await environment.step({ type: "tool", call });
    if (done) break;
  }
  return environment;
}
