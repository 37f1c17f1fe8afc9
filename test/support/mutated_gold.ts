/** Measures the share of faulty gold actions that certification rejects. */

import { isWrite } from "../../env/audit/finding.ts";
import {
  createCertifier,
  Rejection,
} from "../../env/generated/certificate/certificate.ts";
import { createRng, type Rng } from "../../env/random.ts";
import type { Dataset, Task } from "../../env/types.ts";

/** The result of certifying mutated gold actions. */
export interface Mutations {
  /** The share of mutations that were rejected, from 0 to 1. */
  readonly share: number;
  /** Descriptions of the mutations that were not rejected. */
  readonly passed: readonly string[];
  /** A summary of the result, for the message of a failed test. */
  readonly text: string;
}

/** Mutates the gold actions of `count` randomly drawn train tasks, and tries to certify each result. */
export async function rejectedMutations(
  dataset: Dataset,
  count: number,
): Promise<Mutations> {
  const certify = createCertifier(dataset);
  const rng = createRng(5, "mutations");
  const tasks = dataset.tasks("train");
  const passed: string[] = [];
  const parts = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const { task, kind } = mutated(rng.pick(tasks), { tasks, rng });
    const result = await certify(task);
    if (result instanceof Rejection) {
      parts.set(result.part, (parts.get(result.part) ?? 0) + 1);
    } else passed.push(`${task.id} ${task.intent}: ${kind}`);
  }
  const share = 1 - passed.length / count;
  const text = `mutated golds rejected: ${
    (share * 100).toFixed(2)
  }% of ${count}, by part ${JSON.stringify(Object.fromEntries(parts))}`;
  return { share, passed, text };
}

/** Returns a task whose gold actions have a changed argument, a missing action, or an additional write. */
function mutated(
  task: Task,
  { tasks, rng }: { tasks: readonly Task[]; rng: Rng },
): { task: Task; kind: string } {
  const { actions } = task;
  const kind = rng.pick(["change", "drop", "add"]);
  const at = rng.int(actions.length);
  const action = actions[at]!;
  const keys = [...action.arguments.keys()];
  const key = keys.length === 0 ? "" : rng.pick(keys);
  const own = JSON.stringify(action.arguments.get(key));
  const others = tasks.flatMap((one) => one.actions)
    .flatMap(({ arguments: args }) => args.has(key) ? [args.get(key)!] : [])
    .filter((value) => JSON.stringify(value) !== own);
  if (kind === "change" && others.length > 0) {
    const args = new Map([...action.arguments, [key, rng.pick(others)]]);
    const changed = actions.with(at, { ...action, arguments: args });
    return {
      task: { ...task, actions: changed },
      kind: `${action.name}.${key}`,
    };
  }
  if (kind === "add") {
    const writes = tasks.filter((one) => one !== task)
      .flatMap((one) => one.actions).filter(isWrite);
    const more = actions.toSpliced(at + 1, 0, rng.pick(writes));
    return { task: { ...task, actions: more }, kind };
  }
  return {
    task: { ...task, actions: actions.toSpliced(at, 1) },
    kind: `without ${action.name}`,
  };
}
