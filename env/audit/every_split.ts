/** Flags tasks in every split that contains them, since some benchmarks' splits overlap. */

import type { Dataset, Task } from "../types.ts";
import type { Exclusion } from "./audit.ts";

/**
 * Returns the given exclusions, followed by exclusions of the same tasks in other splits. Adds nothing if the dataset
 * has no rules of its own.
 */
export function inEverySplit(
  exclusions: readonly Exclusion[],
  dataset: Dataset,
): Exclusion[] {
  const { rules, splits } = dataset;
  if (rules === undefined) return [...exclusions];
  const tasks = splits.flatMap((split) => dataset.tasks(split));
  const ownId = (task: Task) => rules.original(task).id;
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const reasons = new Map(
    exclusions.flatMap(({ task, reason }) => {
      const found = byId.get(task);
      return found === undefined ? [] : [[ownId(found), reason] as const];
    }),
  );
  const given = new Set(exclusions.map(({ task }) => task));
  const others = tasks.flatMap((task) => {
    const reason = reasons.get(ownId(task));
    return reason === undefined || given.has(task.id)
      ? []
      : [{ task: task.id, reason }];
  });
  return [...exclusions, ...others];
}
