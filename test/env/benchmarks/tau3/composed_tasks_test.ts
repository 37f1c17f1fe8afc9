import assert from "node:assert/strict";
import { expertAgent } from "../../../../env/agents/expert.ts";
import { composedTasks } from "../../../../env/benchmarks/tau3/composed_tasks.ts";
import { tau3Bench } from "../../../../env/benchmarks/tau3/tau3_bench.ts";
import { telecomBundle } from "../../../../env/domains/telecom/world/world_bundle.ts";
import { ConfigError } from "../../../../env/errors.ts";
import { rolloutAll } from "../../../../env/rollout.ts";
import type { Dataset, Split, Task } from "../../../../env/types.ts";
import { scriptedUser } from "../../../../env/users/scripted.ts";
import { makeConfig } from "../../../../train/config/config.ts";
import { openDataset } from "../../../../train/config/open_dataset.ts";
import { writeFiles } from "../../../../train/mock/mock_files.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const domain = "tau3.telecom";
const KNOBS = { maxFaults: 2, complaints: ["data", "mms"] };

function episodes(dataset: Dataset, split: Split) {
  const specs = dataset.tasks(split).map((task) => ({
    dataset,
    task,
    agent: expertAgent({ prompt: "none" }),
    user: scriptedUser(dataset),
    seed: 3,
    maxTurns: 60,
  }));
  return rolloutAll(specs, { now: () => 0 });
}

/** Returns the combination of faults in a task, such as `data_saver_on|vpn_slow`. */
function combination({ id }: Task): string {
  return id.split("]")[1]!.split("[PERSONA")[0]!;
}

Deno.test("composedTasks() returns the tasks, tools and texts that deno task mock writes", () =>
  inTempDir(async (dir) => {
    const { files } = telecomBundle({ seed: 5, count: 20, options: KNOBS });
    await writeFiles(dir, files);
    const read = await tau3Bench(dir, { domain: "telecom" });
    const made = await composedTasks(5, { ...KNOBS, tasks: 20 }, { domain });
    assert.equal(made.fingerprint, read.fingerprint);
    assert.deepEqual(made.tasks("test"), read.tasks("test"));
    assert.deepEqual(made.tools, read.tools);
    assert.equal(made.policy, read.policy);
    assert.equal(made.name, "generated");
  }));

Deno.test("a config's composed world gives the same episodes again, the expert solves each, and no combination of faults is in two splits", async () => {
  const { data } = makeConfig({
    data: { domain, worldSeed: 6, world: { ...KNOBS, tasks: 24 } },
  });
  const dataset = await openDataset(data);
  assert.deepEqual(dataset.splits, ["train", "dev", "test"]);
  const homes = new Map<string, Set<Split>>();
  for (const split of dataset.splits) {
    for (const task of dataset.tasks(split)) {
      assert.match(task.id, /^telecom\/\w+\/\[(data|mms)\]/);
      const home = homes.get(combination(task)) ?? new Set<Split>();
      homes.set(combination(task), home.add(split));
    }
  }
  assert.ok([...homes.values()].every(({ size }) => size === 1));
  const played = await episodes(dataset, "train");
  assert.ok(played.every(({ reward }) => reward?.value === 1));
  assert.ok(
    played.some(({ turns }) =>
      turns.some(({ observation }) => observation.userCalls !== undefined)
    ),
  );
  assert.deepEqual(
    await episodes(await openDataset(data), "train"),
    played,
  );
});

Deno.test("composedTasks() names an option that is unknown or out of range, and a domain without a composer", async () => {
  await assert.rejects(
    composedTasks(1, { maxFault: 2 }, { domain }),
    (error) =>
      error instanceof ConfigError && /"maxFaults"/.test(error.message),
  );
  await assert.rejects(composedTasks(1, { tasks: 0 }, { domain }), /tasks/);
  await assert.rejects(
    composedTasks(1, {}, { domain: "tau3.retail" }),
    /"tau3.retail" cannot generate tasks/,
  );
});
