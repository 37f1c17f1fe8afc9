/**
 * Customers, orders and reservations that tasks of several splits are about: what is learnt on one is known on the
 * other.
 */

import type { Split, Task } from "../types.ts";
import { type Audited, type Finding, finding } from "./finding.ts";

/** One finding for each task of a split that is not for training and shares a row with one that is. */
export function sharedRows({ tasks, dataset }: Audited): Finding[] {
  const trained = new Map<string, Task>();
  for (const task of tasks) {
    if (task.split !== "train") continue;
    for (const row of rowsOf(task)) {
      if (!trained.has(row)) trained.set(row, task);
    }
  }
  return tasks.filter(({ split }) => split !== "train").flatMap((task) => {
    const shared = rowsOf(task).filter((row) => trained.has(row));
    const [row] = shared;
    const with_ = row === undefined ? undefined : trained.get(row);
    if (row === undefined || with_ === undefined) return [];
    return [
      finding(task, {
        check: "shared_rows",
        reason: `the ${
          noun(row, dataset.domain)
        } ${row} is of a train task too`,
        evidence: `${with_.id}; in all ${shared.length} shared: ${
          shared.slice(0, 5).join(", ")
        }`,
        exclude: false,
      }),
    ];
  });
}

function noun(row: string, domain: Task["domain"]): string {
  if (row.includes("_")) return "customer";
  return domain === "retail" ? "order" : "reservation";
}

/** What a task is about: orders first, since they say more than the customer. */
export function rowsOf({ userId, actions }: Task): string[] {
  const ids = actions.flatMap(({ arguments: args }) =>
    ["order_id", "reservation_id"].flatMap((key) => {
      const id = args.get(key);
      return typeof id === "string" ? [id] : [];
    })
  );
  return [...new Set([...ids, userId])];
}

/** How many customers, orders and reservations two splits share. */
export interface SplitOverlap {
  readonly splits: readonly [Split, Split];
  readonly customers: number;
  /** Orders or reservations. */
  readonly rows: number;
}

/** Overlaps of each pair of splits. */
export function overlaps({ tasks, dataset }: Audited): SplitOverlap[] {
  const rows = new Map(dataset.splits.map((split) => [
    split,
    new Set(tasks.filter((task) => task.split === split).flatMap(rowsOf)),
  ]));
  const pairs = dataset.splits.flatMap((a, i) =>
    dataset.splits.slice(i + 1).map((b) => [a, b] as const)
  );
  return pairs.map((splits) => {
    const [a, b] = splits.map((split) => rows.get(split) ?? new Set<string>());
    const both = [...a?.intersection(b ?? new Set()) ?? []];
    const customers = both.filter((row) => row.includes("_")).length;
    return { splits, customers, rows: both.length - customers };
  });
}
