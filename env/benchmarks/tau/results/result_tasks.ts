/**
 * Matches the records in a result file to tasks. A file names neither its split nor its domain. If it predates a change
 * to a task, the gold actions in the file are used.
 */

import { DataError } from "../../../errors.ts";
import { equalityKey } from "../../../python/python_object.ts";
import { domainOf } from "../../../domains/registry.ts";
import { identityOf } from "../../../domain.ts";
import type { Dataset, Task } from "../../../types.ts";
import { domainsIn, loadTauBench } from "../tau_bench.ts";
import { mapOf } from "../../results/loose_json.ts";
import type { KnownTask, KnownTasks } from "../../results/result_episode.ts";
import type { ResultRecord } from "./result_file.ts";

/** A function that finds a record's task, and returns `null` if neither the dataset nor the file has the task. */
export type TaskFinder = (record: ResultRecord) => KnownTask | null;

/**
 * Creates a finder for tasks in τ-bench datasets; each record is matched to one dataset.
 * @param options.leastFit The minimum score of a match. With 0, a record without evidence of its dataset, such as an
 * episode without calls, also matches. Default: 1.
 */
export function taskFinder(
  datasets: readonly Dataset[],
  { leastFit = 1 }: { readonly leastFit?: number } = {},
): TaskFinder {
  const indexes = datasets.map((dataset) => ({
    dataset,
    tools: new Set(dataset.tools.map((tool) => tool.function.name)),
    byGold: tasksByGold(dataset),
  }));
  return (record) => {
    const [best] = indexes
      .map((index) => ({ index, fit: fitOf(record, index) }))
      .filter(({ fit }) => fit >= leastFit)
      .sort((a, b) => b.fit - a.fit);
    if (best === undefined) return null;
    const { dataset, byGold } = best.index;
    const { actions } = record;
    const alike = actions === null
      ? tasksAt(dataset, record)
      : byGold.get(keyOf(record.task, actions)) ?? [];
    const same = alike.filter((task) => isSameTask(task, record));
    if (same.length === 1) {
      return { dataset, task: same[0]!, isRecorded: false };
    }
    return actions === null
      ? null
      : { dataset, task: recordedTask(dataset, record), isRecorded: true };
  };
}

/**
 * Finds the tasks of a file's records, keyed by record number. A record without evidence of its dataset is matched to
 * the dataset of most other records. For a failed record, the task's index is sufficient evidence.
 */
export function tasksOfRecords(
  records: readonly ResultRecord[],
  datasets: readonly Dataset[],
): KnownTasks {
  const find = taskFinder(datasets);
  const found = records.map((record) => ({ record, known: find(record) }));
  const others = found.flatMap(({ known }) => known ?? []);
  const dataset = mostFrequent(others.map((one) => one.dataset));
  const split = mostFrequent(
    others.flatMap(({ isRecorded, task }) => isRecorded ? [] : task.split),
  ) ?? dataset?.splits.at(-1);
  const findThere = taskFinder(dataset ? [dataset] : [], { leastFit: 0 });
  const atPosition = ({ task, failure }: ResultRecord): KnownTask | null => {
    if (failure === null || dataset === undefined || !split) return null;
    const known = dataset.tasks(split)[task];
    return known === undefined
      ? null
      : { dataset, task: known, isRecorded: false };
  };
  return new Map(found.map(({ record, known }) => [
    record.number,
    known ?? findThere(record) ?? atPosition(record),
  ]));
}

/** Returns the most frequent item (the first in case of a tie), or `undefined` if the list is empty. */
export function mostFrequent<T>(all: readonly T[]): T | undefined {
  const groups = [...Map.groupBy(all, (one) => one)];
  return groups.sort(([, a], [, b]) => b.length - a.length)[0]?.[0];
}

/**
 * Loads all readable datasets in a directory.
 * @throws {DataError} If there are datasets, but none of them can be read.
 */
export async function datasetsIn(dir: string): Promise<Dataset[]> {
  let fault: DataError | undefined;
  const datasets: Dataset[] = [];
  for (const domain of await domainsIn(dir)) {
    try {
      datasets.push(await loadTauBench(dir, domain));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      fault = error; // ignored if another dataset can be read
    }
  }
  if (datasets.length === 0 && fault !== undefined) throw fault;
  return datasets;
}

interface DatasetIndex {
  readonly dataset: Dataset;
  readonly tools: ReadonlySet<string>;
}

/** Scores how well a record matches a dataset. A matching user has the greatest weight, because domains share tools. */
function fitOf(
  { userId, actions, turns }: ResultRecord,
  { dataset, tools }: DatasetIndex,
): number {
  const called = turns.map((turn) =>
    mapOf(mapOf(turn.get("action")).get("call")).get("name")
  );
  const names = [...called, ...(actions ?? []).map(({ name }) => name)];
  const known = names.filter((name) =>
    typeof name === "string" && tools.has(name)
  );
  const isTheirs = userId !== null && dataset.database.has("users", userId);
  return known.length + (isTheirs ? names.length + 1 : 0);
}

function tasksByGold(dataset: Dataset): ReadonlyMap<string, Task[]> {
  const tasks = dataset.splits.flatMap((split) => dataset.tasks(split));
  return Map.groupBy(
    tasks,
    ({ index, actions }) =>
      keyOf(
        index,
        actions.map(({ name, arguments: kwargs }) => ({ name, kwargs })),
      ),
  );
}

/** Returns the tasks of all splits that have the record's index and user. */
function tasksAt(dataset: Dataset, { task, userId }: ResultRecord): Task[] {
  return dataset.splits.flatMap((split) => dataset.tasks(split)[task] ?? [])
    .filter((one) => one.userId === userId);
}

/** Checks whether a task agrees with a record. Fields that the record lacks are ignored. */
function isSameTask(
  task: Task,
  { instruction, outputs }: ResultRecord,
): boolean {
  return (instruction === null || task.instruction === instruction) &&
    (outputs === null || outputs.join("\n") === task.outputs.join("\n"));
}

function recordedTask(
  dataset: Dataset,
  { task, userId, instruction, actions, outputs }: ResultRecord,
): Task {
  return {
    id: `${dataset.domain}/recorded/${task}`,
    ...identityOf(domainOf(dataset)),
    split: "test",
    index: task,
    userId: userId ?? "",
    instruction: instruction ?? "",
    actions: (actions ?? []).map(({ name, kwargs }) => ({
      name,
      arguments: kwargs,
    })),
    outputs: outputs ?? [],
  };
}

function keyOf(
  index: number,
  actions: NonNullable<ResultRecord["actions"]>,
): string {
  const words = actions.map(({ name, kwargs }) =>
    `${name} ${equalityKey(kwargs)}`
  );
  return [index, ...words].join("\n");
}
