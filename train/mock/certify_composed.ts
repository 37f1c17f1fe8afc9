/** Certificates of composed tasks as the benchmark sees them: its own rules find no fault, and the expert solves each by talking. */

import { expertAgent } from "../../env/agents/expert.ts";
import { rollout } from "../../env/rollout.ts";
import type { CallOptions, Dataset, Task } from "../../env/types.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import type { Exclusion } from "../config/exclusions.ts";

/** What is shown of a composed task. */
export interface ComposedCertificate {
  readonly task: string;
  /** Faults that the benchmark's rules find and that take a reward its meaning, with their evidence; none is right. */
  readonly faults: readonly string[];
  /** Whether the expert earns the reward through the scripted user. */
  readonly expert: boolean;
  /** Turns of the expert. */
  readonly turns: number;
}

/** Faults of a task that would be right otherwise: a state that no reward looks at is none. */
const FAULTS: ReadonlySet<string> = new Set([
  "gold_error",
  "failing_gold",
  "idle",
  "spare_step",
  "missing_tool",
  "unknowable",
]);

/** Certifies tasks in order. Deterministic. */
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

/** The tasks that are not certified, with the reason. */
export function uncertified(
  certificates: readonly ComposedCertificate[],
): Exclusion[] {
  return certificates.flatMap(({ task, faults, expert }) => {
    const reason = faults[0] ??
      (expert ? undefined : "the expert does not solve it");
    return reason === undefined ? [] : [{ task, reason }];
  });
}
