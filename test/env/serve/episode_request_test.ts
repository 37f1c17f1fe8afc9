import assert from "node:assert/strict";
import { generated } from "../../../env/generated/generated.ts";
import { retailOptionsSchema } from "../../../env/domains/retail/world/options.ts";
import { taskOf } from "../../../env/serve/episode_request.ts";
import { withoutTasks } from "../../../train/config/exclusions.ts";
import { planData } from "../../../train/slime/plan/slime_rows.ts";
import { slimeOf } from "../../support/slime_plan.ts";

Deno.test("taskOf() finds the row's task even if earlier tasks are excluded", async () => {
  const options = { trainTasks: 8, devTasks: 2, testTasks: 2 };
  const whole = await generated(1, retailOptionsSchema.parse(options));
  const [first, , third] = whole.tasks("train");
  const dataset = withoutTasks(
    whole,
    [first!, third!].map(({ id }) => ({ task: id, reason: "wrong" })),
  );
  const { config } = await slimeOf("qwen3-0.6b");
  const { rows } = planData(dataset, config);
  const indices = rows[0]!.text.trimEnd().split("\n")
    .map((line) => JSON.parse(line).index as number);
  assert.deepEqual(indices, [1, 3, 4, 5, 6, 7]);
  const meant = (task: number) =>
    taskOf({ task, split: "train" } as Parameters<typeof taskOf>[0], dataset);
  for (const index of indices) {
    assert.equal(meant(index).id, whole.tasks("train")[index]?.id);
  }
  assert.throws(() => meant(0), /no task 0/);
});
