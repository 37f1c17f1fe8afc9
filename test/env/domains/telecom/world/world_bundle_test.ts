import assert from "node:assert/strict";
import { tau3Bench } from "../../../../../env/benchmarks/tau3/tau3_bench.ts";
import { expertAgent } from "../../../../../env/agents/expert.ts";
import { telecom } from "../../../../../env/domains/telecom/domain.ts";
import { composeTelecom } from "../../../../../env/domains/telecom/world/compose_tasks.ts";
import {
  telecomAgentTools,
  telecomUserTools,
} from "../../../../../env/domains/telecom/world/tool_schemas.ts";
import { telecomBundle } from "../../../../../env/domains/telecom/world/world_bundle.ts";
import { rollout } from "../../../../../env/rollout.ts";
import type { Tool } from "../../../../../env/tool.ts";
import type { ToolSchema } from "../../../../../env/types.ts";
import { scriptedUser } from "../../../../../env/users/scripted.ts";
import { writeFiles } from "../../../../../train/mock/mock_files.ts";
import { inTempDir } from "../../../../support/temp_dir.ts";

const START = { seed: 4, count: 30, options: { maxFaults: 5 } };

Deno.test("telecom's own descriptions match its tools and their parameters", () => {
  const told = (schemas: readonly ToolSchema[]) =>
    schemas.map(({ function: { name, parameters } }) => [
      name,
      Object.keys(parameters["properties"] as object),
    ]);
  const had = (tools: readonly Tool[]) =>
    tools.map(({ name, parameters }) => [name, [...parameters]]);
  assert.deepEqual(told(telecomAgentTools), had(telecom.tools));
  assert.deepEqual(told(telecomUserTools), had(telecom.bundle.userTools));
});

Deno.test("telecomBundle() can be read like the benchmark, and the same commands solve its tasks", () =>
  inTempDir(async (dir) => {
    const { files, counts } = telecomBundle(START);
    await writeFiles(dir, files);
    const dataset = await tau3Bench(dir, { domain: "telecom" });
    assert.deepEqual([...dataset.splits].sort(), [
      "base",
      "dev",
      "test",
      "train",
    ]);
    assert.equal(dataset.tasks("base").length, 30);
    for (const split of ["train", "dev", "test"] as const) {
      assert.equal(dataset.tasks(split).length, counts[split]);
    }
    for (const task of dataset.tasks("test")) {
      const episode = await rollout({
        dataset,
        task,
        agent: expertAgent(),
        user: scriptedUser(dataset),
        seed: 2,
        maxTurns: dataset.rules?.maxTurns ?? 0,
        now: () => 0,
      });
      assert.equal(episode.reward?.value, 1, task.id);
    }
  }));

Deno.test("telecomBundle() is deterministic, and no two splits share a combination of faults or a customer", () => {
  const bundle = telecomBundle(START);
  assert.deepEqual(telecomBundle(START), bundle);
  const { tasks } = composeTelecom({ seed: 4, count: 30, faults: [1, 5] });
  const file = bundle.files.find(({ path }) =>
    path.endsWith("split_tasks.json")
  );
  const splits = JSON.parse(file!.text) as Record<string, string[]>;
  const homes = new Map<string, Set<string>>();
  for (const { task, plan, faults, split } of tasks) {
    assert.ok(splits[split]?.includes(String(task.get("id"))));
    const caller = String(plan.setUp[0]?.args["phone_number"]);
    // The numbers of a customer differ only in the last digit.
    for (const key of [faults.join("|"), caller.slice(0, -1)]) {
      homes.set(key, (homes.get(key) ?? new Set()).add(split));
    }
  }
  assert.deepEqual(Object.keys(splits).sort(), [
    "base",
    "dev",
    "test",
    "train",
  ]);
  assert.ok(homes.size < 2 * tasks.length, "some come twice");
  assert.deepEqual([...homes].filter(([, where]) => where.size > 1), []);
});
