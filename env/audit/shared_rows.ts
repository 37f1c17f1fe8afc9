/**
 * Users and rows of theirs that tasks of several splits are about: what is learnt on one is known on the other.
 */

import type { Domain } from "../domain.ts";
import { domainOf } from "../domains/registry.ts";
import type { Split, Task } from "../types.ts";
import { type Audited, type Finding, finding } from "./finding.ts";

/** One finding for each task of a split that is not for training and shares a row with one that is. */
export function sharedRows({ tasks, dataset }: Audited): Finding[] {
  const domain = domainOf(dataset);
  const trained = new Map<string, Task>();
  for (const task of tasks) {
    if (task.split !== "train") continue;
    for (const { id } of rowsOf(task, domain)) {
      if (!trained.has(id)) trained.set(id, task);
    }
  }
  return tasks.filter(({ split }) => split !== "train").flatMap((task) => {
    const shared = rowsOf(task, domain).filter(({ id }) => trained.has(id));
    const [row] = shared;
    const with_ = row === undefined ? undefined : trained.get(row.id);
    if (row === undefined || with_ === undefined) return [];
    return [
      finding(task, {
        check: "shared_rows",
        reason: `the ${row.noun} ${row.id} is of a train task too`,
        evidence: `${with_.id}; in all ${shared.length} shared: ${
          shared.slice(0, 5).map(({ id }) => id).join(", ")
        }`,
        exclude: false,
      }),
    ];
  });
}

/** A row that a task is about. */
interface TaskRow {
  readonly id: string;
  readonly noun: string;
}

/** What people call a user in findings, whatever the domain. */
const USER = "user";

/** What a task is about: the user's rows first, since they say more than the user. */
function rowsOf({ userId, actions }: Task, { rows }: Domain): TaskRow[] {
  const owned = actions.flatMap(({ arguments: args }) =>
    (rows?.owned ?? []).flatMap(({ argument, noun }) => {
      const id = args.get(argument);
      return typeof id === "string" ? [{ id, noun }] : [];
    })
  );
  const all = [...owned, { id: userId, noun: USER }];
  return [...new Map(all.map((row) => [row.id, row])).values()];
}

/** How many users and rows of theirs two splits share. */
export interface SplitOverlap {
  readonly splits: readonly [Split, Split];
  readonly users: number;
  /** Of tables whose rows belong to users: orders, reservations. */
  readonly rows: number;
}

/** Overlaps of each pair of splits. */
export function overlaps({ tasks, dataset }: Audited): SplitOverlap[] {
  const domain = domainOf(dataset);
  const bySplit = new Map(dataset.splits.map((split) => [
    split,
    new Map(
      tasks.filter((task) => task.split === split)
        .flatMap((task) => rowsOf(task, domain))
        .map(({ id, noun }) => [id, noun]),
    ),
  ]));
  const splits = dataset.splits.filter((split) =>
    tasks.some((task) => task.split === split)
  );
  const pairs = splits.flatMap((a, i) =>
    splits.slice(i + 1).map((b) => [a, b] as const)
  );
  return pairs.map((splits) => {
    const [a, b] = splits.map((split) => bySplit.get(split));
    const both = [...a ?? []].filter(([id]) => b?.has(id));
    const users = both.filter(([, noun]) => noun === USER).length;
    return { splits, users, rows: both.length - users };
  });
}
