/**
 * Certifies composed tasks: the benchmark's own rules find no fault, and the expert solves each task in a conversation.
 */

import { expertAgent } from "../../env/agents/expert.ts";
import { rollout } from "../../env/rollout.ts";
import type { CallOptions, Dataset, Task } from "../../env/types.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import type { Exclusion } from "../config/exclusions.ts";

/** The certificate of a composed task. */
export interface ComposedCertificate {
  readonly task: string;
  /** Faults found by the benchmark's rules that make the reward meaningless, with evidence; empty for a valid task. */
  readonly faults: readonly string[];
  /** Whether the expert earns the reward with the scripted user. */
  readonly expert: boolean;
  /** The number of turns that the expert took. */
  readonly turns: number;
}

/** The faults that invalidate a task. An unrewarded change of state does not invalidate a task. */
const FAULTS: ReadonlySet<string> = new Set([
  "gold_error",
  "failing_gold",
  "idle",
  "spare_step",
  "missing_tool",
  "unknowable",
]);

/** Certifies tasks in order. The result is deterministic. */
export async function certifyComposed(
  dataset: Dataset,
  { tasks, signal, onTask }: CallOptions & {
    readonly tasks: readonly Task[];
    /** Called after each task. */
    readonly onTask?: () => void;
  },
): Promise<ComposedCertificate[]> {
  const [agent, user] = [expertAgent(), scriptedUser(dataset)];
  const certificates: ComposedCertificate[] = [];
  for (const task of tasks) {
    signal?.throwIfAborted();
    const { reward, turns } = await rollout({
      dataset,
      task,
      agent,
      user,
      seed: 0,
      maxTurns: dataset.rules?.maxTurns ?? 0,
      signal,
      now: () => 0,
    });
    const faults = dataset.rules?.faults(task) ?? [];
    certificates.push({
      task: task.id,
      faults: faults.filter(({ check }) => FAULTS.has(check)).map((
        { reason, evidence },
      ) => `${reason} (${evidence})`),
      expert: reward?.value === 1,
      turns: turns.length,
    });
    onTask?.();
  }
  return certificates;
}

/** Returns an exclusion for each task that is not certified, with the reason. */
export function uncertified(
  certificates: readonly ComposedCertificate[],
): Exclusion[] {
  return certificates.flatMap(({ task, faults, expert }) => {
    const reason = faults[0] ??
      (expert ? undefined : "the expert does not solve the task");
    return reason === undefined ? [] : [{ task, reason }];
  });
}
