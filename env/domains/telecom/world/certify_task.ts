/** Certifies a composed task: something is broken, its gold fixes it, each step is needed and allowed. */

import type { Databases } from "../../../domain.ts";
import { ToolError } from "../../../errors.ts";
import { object } from "../../shared/call.ts";
import { ruleBroken } from "./allowed_step.ts";
import type { PlannedCall } from "./phone_faults.ts";
import { Trial } from "./trial.ts";

/** A task as it is meant. */
export interface TaskPlan {
  /** Where both databases begin. */
  readonly databases: Required<Databases>;
  readonly setUp: readonly PlannedCall[];
  /** What mends it; of a hopeless task, what can be mended of it all the same. */
  readonly fixes: readonly PlannedCall[];
  /** What holds where the phone works as the user wants it. */
  readonly works: readonly PlannedCall[];
  /** Whether nothing that is allowed makes it work, so that the user has to be passed on. */
  readonly isHopeless: boolean;
  /** How much data the user would buy, in GB. */
  readonly agreedGb: number;
}

/** What a hopeless task asks for. */
export const PASS_ON: PlannedCall = {
  actor: "assistant",
  name: "transfer_to_human_agents",
  args: { summary: "nothing that i may do helps" },
};

/** The gold of a plan: its fixes without those that others make needless; of a hopeless one, that the user is passed on. */
export function goldOf(plan: TaskPlan): readonly PlannedCall[] {
  if (plan.isHopeless) return [PASS_ON];
  const start = new Trial(plan.databases).run(plan.setUp);
  let gold = plan.fixes;
  for (const step of plan.fixes.toReversed()) {
    const rest = gold.filter((one) => one !== step);
    if (mends(start, { ...plan, fixes: rest })) gold = rest;
  }
  return gold;
}

/** What is wrong with a task, given its gold; `null` where nothing is. */
export function faultOf(
  plan: TaskPlan,
  gold: readonly PlannedCall[],
): string | null {
  const start = new Trial(plan.databases).run(plan.setUp);
  if (start.fork().holds(plan.works)) return "nothing is broken";
  if (plan.isHopeless) {
    return mends(start, plan) ? "it can be mended" : breach(start, plan, gold);
  }
  if (!mends(start, { ...plan, fixes: gold })) {
    return "its gold does not mend it";
  }
  const needless = gold.find((step) =>
    mends(start, { ...plan, fixes: gold.filter((one) => one !== step) })
  );
  return needless === undefined
    ? breach(start, plan, gold)
    : `it does not need "${needless.name}"`;
}

/** Whether fixes make it work; one that is refused mends nothing. */
function mends(
  start: Trial,
  { fixes, works }: Pick<TaskPlan, "fixes" | "works">,
): boolean {
  const trial = start.fork();
  for (const fix of fixes) {
    try {
      trial.run([fix]);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
    }
  }
  return trial.holds(works);
}

/** The first rule of the policy that a step of the gold breaks; `null` where none does. */
function breach(
  start: Trial,
  { agreedGb, isHopeless }: TaskPlan,
  gold: readonly PlannedCall[],
): string | null {
  const trial = start.fork();
  for (const step of gold) {
    const broken = step.actor === "user" ? null : ruleBroken(trial.databases, {
      name: step.name,
      arguments: object(step.args),
      agreedGb,
      isHopeless,
    });
    if (broken !== null) return `${step.name}: ${broken}`;
    trial.run([step]);
  }
  return null;
}
