/** Defines the contract tests that every dataset must pass, regardless of its source. */

import assert from "node:assert/strict";
import { callTool } from "../../env/call_tool.ts";
import { domainOf } from "../../env/domains/registry.ts";
import { ConfigError } from "../../env/errors.ts";
import type { Dataset, Split } from "../../env/types.ts";

/**
 * Registers the contract tests for a dataset.
 * @param load Creates a new dataset on each call.
 */
export function datasetContract(
  name: string,
  load: () => Promise<Dataset>,
): void {
  Deno.test(`${name}: splits have tasks in order, with unique ids`, async () => {
    const dataset = await load();
    assert.ok(dataset.splits.length > 0);
    const ids = new Set<string>();
    for (const split of dataset.splits) {
      const tasks = dataset.tasks(split);
      assert.ok(tasks.length > 0, split);
      for (const [i, task] of tasks.entries()) {
        assert.equal(task.split, split);
        assert.equal(task.index, i);
        assert.equal(task.domain, dataset.domain);
        assert.ok(task.instruction.length > 0, task.id);
        assert.ok(!ids.has(task.id), task.id);
        ids.add(task.id);
      }
    }
  });

  Deno.test(`${name}: a task's user is in the database`, async () => {
    const dataset = await load();
    for (
      const task of dataset.splits.flatMap((split) => dataset.tasks(split))
    ) {
      assert.ok(dataset.database.has("users", task.userId), task.id);
    }
  });

  Deno.test(`${name}: an unknown split is an error that names it`, async () => {
    const dataset = await load();
    assert.throws(
      () => dataset.tasks("holdout" as Split),
      (error) => error instanceof ConfigError && /holdout/.test(error.message),
    );
  });

  Deno.test(`${name}: every described tool exists, and every tool is described`, async () => {
    const dataset = await load();
    const known = new Map(
      domainOf(dataset).tools.map((tool) => [tool.name, tool]),
    );
    const described = dataset.tools.map((tool) => tool.function.name);
    assert.deepEqual([...described].sort(), [...known.keys()].sort());
    for (const { function: { name, parameters } } of dataset.tools) {
      const properties = Object.keys(parameters.properties ?? {});
      assert.deepEqual(
        properties.sort(),
        [...known.get(name)?.parameters ?? []].sort(),
        name,
      );
    }
    for (const name of dataset.terminatingTools) assert.ok(known.has(name));
    assert.ok(dataset.policy.length > 0);
  });

  Deno.test(`${name}: gold actions on forks do not change the database`, async () => {
    const dataset = await load();
    const domain = domainOf(dataset);
    const before = dataset.database.hash();
    for (const split of dataset.splits) {
      for (const task of dataset.tasks(split).slice(0, 20)) {
        const fork = dataset.database.fork();
        for (const action of task.actions) callTool(domain, fork, action);
      }
    }
    assert.equal(dataset.database.hash(), before);
  });

  Deno.test(`${name}: loading twice gives the same fingerprint and the same state`, async () => {
    const [first, second] = [await load(), await load()];
    assert.equal(first.fingerprint, second.fingerprint);
    assert.equal(first.database.hash(), second.database.hash());
  });
}
