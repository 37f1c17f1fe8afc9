/**
 * Finds users and rows that occur in tasks of several splits, so that training on one split affects the results on
 * another.
 */

import type { Domain } from "../domain.ts";
import { domainOf } from "../domains/registry.ts";
import type { Split, Task } from "../types.ts";
import { type AuditInput, type Finding, finding } from "./finding.ts";

/** Returns a finding for each held-out task that shares its user or a row with a train task. */
export function sharedRows({ tasks, dataset }: AuditInput): Finding[] {
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
        reason: `the ${row.noun} ${row.id} also occurs in a train task`,
        evidence: `${with_.id}; ${shared.length} shared in total: ${
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

/** The word for a user in findings, in every domain. */
const USER = "user";

/** Returns the rows that a task is about, followed by the user, which is less specific than the rows. */
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

/** The number of users and rows that two splits share. */
export interface SplitOverlap {
  readonly splits: readonly [Split, Split];
  readonly users: number;
  /** The number of shared rows that belong to users, such as orders or reservations. */
  readonly rows: number;
}

/** Returns the overlap between each pair of splits. */
export function overlaps({ tasks, dataset }: AuditInput): SplitOverlap[] {
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
