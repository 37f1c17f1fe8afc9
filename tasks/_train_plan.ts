/**
 * Implements `deno task train --dry-run`: prints the plan of a run, with its time and memory estimated from a few
 * steps.
 */

import { asksModel } from "../env/users/registry.ts";
import { modelName } from "../train/config/open_model.ts";
import { openDataset } from "../train/config/open_dataset.ts";
import { sampleOf } from "../train/config/sampled_data.ts";
import type { Split } from "../env/types.ts";
import type { Config } from "../train/config/config.ts";
import { makePlan, type Plan } from "../train/cpu/run_plan.ts";
import type { TaskContext, TaskResult } from "./_cli.ts";
import { bytes, count, duration } from "../train/progress/amounts.ts";
import { CONTROL_BUDGETS, controlName } from "../train/runs/control_budget.ts";
import { table } from "../train/progress/text_table.ts";

/** Measures and prints the plan of a run. It writes no files. */
export async function dryRun(
  config: Config,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  if (asksModel(config.user.strategy)) {
    modelName(config.user.endpoint, "--user-model");
  }
  const { data, asked } = sampleOf(config.data);
  const dataset = await openDataset(data, { signal });
  terminal.progress(
    "measuring a cold-start step and a few conversations",
  );
  const measured = await makePlan(config, dataset);
  const plan = {
    ...measured,
    tasks: { ...measured.tasks, ...asked },
    measured_on: measured.tasks,
  };
  terminal.endProgress();
  terminal.print(planText(config, plan));
  return { json: { ...plan, seed: config.seed } };
}

/**
 * A plan, and the number of tasks per split on which it was measured (`measured_on`). In a large world, only a sample
 * of the tasks is measured.
 */
export type MeasuredPlan = Plan & { readonly measured_on: Plan["tasks"] };

/** Formats a plan as a table. */
export function planText(config: Config, plan: MeasuredPlan): string {
  const { coldStart, rft, rl, model, data, user } = config;
  const splits = Object.entries({ ...plan.tasks }).map(([split, n]) => {
    const measured = plan.measured_on[split as Split];
    const sample = measured === n
      ? ""
      : ` (measured on ${count(measured ?? 0)})`;
    return `${count(n)} ${split}${sample}`;
  });
  return table([
    ["plan", ""],
    ["data", `${data.source} ${data.domain}: ${splits.join(", ")} tasks`],
    [
      "policy",
      `${count(plan.parameters)} parameters, context of ${
        count(model.contextLength)
      } tokens`,
    ],
    [
      "demonstrations",
      `${count(plan.demonstrations)}, with a median of ${
        count(plan.tokens.median)
      } tokens and at most ${count(plan.tokens.max)}; ${
        plan.notDemonstrated === 0
          ? "none was dropped"
          : `${count(plan.notDemonstrated)} tasks could not be demonstrated`
      }`,
    ],
    [
      "cold start",
      `${coldStart.steps} steps of ${coldStart.batchSize} demonstrations`,
    ],
    ...(rft.steps > 0
      ? [[
        "rejection fine-tuning",
        `${rft.steps} steps of ${rft.tasksPerStep} episodes and ${rft.updates} updates of ${rft.batchSize} conversations each`,
      ]]
      : []),
    [
      "RL",
      `${rl.steps} steps of ${rl.tasksPerStep} tasks × ${rl.groupSize} episodes`,
    ],
    ...CONTROL_BUDGETS.filter((budget) => config.control[budget])
      .map((budget) => [
        controlName(budget),
        `supervised steps from the cold start, with the same number of ${budget} as RL`,
      ]),
    ["evaluations", `${count(plan.evalEpisodes)} episodes`],
    ...(asksModel(user.strategy)
      ? [[
        "user",
        `${user.strategy} ${
          user.endpoint.model ?? "–"
        }; the plan does not include the time of its calls`,
      ]]
      : []),
    ["threads", String(config.threads)],
    ["memory", `about ${bytes(plan.memoryBytes)}`],
    ["expected time", `about ${duration(plan.seconds)} on this machine`],
  ]);
}
