/**
 * Certifies composed tasks. In a valid task, something is broken, the gold actions fix it, and all of them are
 * necessary and allowed. If the task is hopeless, however, no allowed action fixes the problem, and the gold action is
 * a transfer.
 */

import type { Databases } from "../../../domain.ts";
import { ToolError } from "../../../errors.ts";
import { object } from "../../shared/call.ts";
import { ruleBroken } from "./allowed_step.ts";
import type { PlannedCall } from "./phone_faults.ts";
import { Trial } from "./trial.ts";

/** The plan from which a task is composed: the initial state, the setup, the fixes and the checks. */
export interface TaskPlan {
  /** The initial state of both databases. */
  readonly databases: Required<Databases>;
  readonly setUp: readonly PlannedCall[];
  /** The actions that fix the problem. In a hopeless task, they fix only part of it. */
  readonly fixes: readonly PlannedCall[];
  /** The checks that hold if the phone works as the user wants. */
  readonly works: readonly PlannedCall[];
  /** Whether the user has to be transferred because no allowed action fixes the problem. */
  readonly isHopeless: boolean;
  /** The amount of data that the user is willing to buy, in GB. */
  readonly agreedGb: number;
}

/** The gold action of a hopeless task: a transfer to a human agent. */
export const TRANSFER_CALL: PlannedCall = {
  actor: "assistant",
  name: "transfer_to_human_agents",
  args: { summary: "nothing that i may do helps" },
};

/** Returns the gold actions of a plan: its fixes without redundant fixes, or a transfer if the task is hopeless. */
export function goldOf(plan: TaskPlan): readonly PlannedCall[] {
  if (plan.isHopeless) return [TRANSFER_CALL];
  const start = new Trial(plan.databases).run(plan.setUp);
  let gold = plan.fixes;
  for (const step of plan.fixes.toReversed()) {
    const rest = gold.filter((one) => one !== step);
    if (isFixed(start, { ...plan, fixes: rest })) gold = rest;
  }
  return gold;
}

/** Returns the reason why a task with these gold actions is invalid, or `null` if the task is valid. */
export function faultOf(
  plan: TaskPlan,
  gold: readonly PlannedCall[],
): string | null {
  const start = new Trial(plan.databases).run(plan.setUp);
  if (start.fork().holds(plan.works)) return "nothing is broken";
  if (plan.isHopeless) {
    return isFixed(start, plan)
      ? "allowed actions fix the problem"
      : breach(start, plan, gold);
  }
  if (!isFixed(start, { ...plan, fixes: gold })) {
    return "the gold actions do not fix the problem";
  }
  const needless = gold.find((step) =>
    isFixed(start, { ...plan, fixes: gold.filter((one) => one !== step) })
  );
  return needless === undefined
    ? breach(start, plan, gold)
    : `the gold action "${needless.name}" is redundant`;
}

/** Checks whether the fixes solve the problem. A rejected fix is ignored. */
function isFixed(
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

/**
 * Returns the name of the first gold action that breaks a policy rule, followed by the rule: `refuel_data: at most 2 GB
 * may be sold`. Returns `null` if there is none.
 */
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
