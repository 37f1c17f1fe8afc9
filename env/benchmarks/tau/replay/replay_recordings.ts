/**
 * Replays τ-bench recordings with this implementation. Every observation, state and reward must equal its recorded
 * value.
 */

import { readFile } from "node:fs/promises";
import { loadTauBench, toolNamesIn } from "../tau_bench.ts";
import {
  domainKey,
  type DomainName,
  domainNamed,
  domainNames,
  domainOf,
  isOfTauBench,
} from "../../../domains/registry.ts";
import { keyOf } from "../../../domain.ts";
import { ConfigError, DataError, messageOf } from "../../../errors.ts";
import type { RecordFault } from "../../../json_records.ts";
import type { JsonObject } from "../../../python/python_json.ts";
import { recordFault } from "../../recorded_formats.ts";
import { type CallContext, replayFuzz, replayGold } from "./calls.ts";
import { isGoldOf, replayFuzzReward, replayTrajectory } from "./episodes.ts";
import { Checker, type Mismatch } from "./mismatch.ts";
import {
  checkRecord,
  readRecording,
  type Recording,
  type RecordingFormat,
} from "./recording.ts";
import type { Dataset, Split, Task } from "../../../types.ts";
import { readResultRecords } from "../results/result_file.ts";
import {
  datasetsIn,
  mostFrequent,
  taskFinder,
} from "../results/result_tasks.ts";
import { replayResult } from "./replay_results.ts";

export { describeMismatch, type Mismatch } from "./mismatch.ts";

/** The result of replaying one file. */
export interface FileReport {
  readonly path: string;
  readonly format: RecordingFormat;
  readonly domain: DomainName;
  /** The number of replayed records. */
  readonly records: number;
  readonly steps: number;
  readonly mismatches: number;
  /** Records that could not be read; absent if there are none. */
  readonly unreadable?: readonly RecordFault[];
  /** Episodes that cannot be replayed, for example because they ended with a failure; absent if there are none. */
  readonly skipped?: readonly RecordFault[];
  /**
   * Set if a result file has gold states and none of them matches, which means that the file was recorded on another
   * dataset. Differences that the other dataset explains are counted in this field rather than as mismatches.
   */
  readonly otherData?: { readonly golds: number; readonly differences: number };
}

/** Options for {@linkcode replayFiles}. */
export interface ReplayOptions {
  /** The directory of τ-bench's data. */
  readonly tauBench: string;
  readonly onMismatch?: (mismatch: Mismatch) => void;
  /**
   * Called after each record with the file's path, the number of records replayed so far, and the file's total number
   * of records.
   */
  readonly onRecord?: (path: string, done: number, of: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Replays files in order. All files are read before the first file is replayed, so that an unreadable file is reported
 * early.
 * @throws {ConfigError} If a file cannot be read, its domain cannot be determined, or this version of taulab does not
 * implement the domain.
 * @throws {DataError} If a file has no readable record, or the dataset cannot be read.
 */
export async function replayFiles(
  paths: readonly string[],
  options: ReplayOptions,
): Promise<FileReport[]> {
  const recordings = await Promise.all(paths.map(async (path) => {
    const recording = readRecording(await readBytes(path), path);
    return {
      recording,
      domain: await recordedDomain(recording, options.tauBench),
    };
  }));
  const datasets = new Map<DomainName, Dataset>();
  for (const { domain } of recordings) {
    if (datasets.has(domain)) continue;
    datasets.set(domain, await loadTauBench(options.tauBench, domain));
  }
  const reports: FileReport[] = [];
  for (const { recording, domain } of recordings) {
    const dataset = datasets.get(domain);
    if (dataset === undefined) continue;
    reports.push(await replayRecording(recording, { dataset, ...options }));
  }
  return reports;
}

type RecordingOptions =
  & { readonly dataset: Dataset }
  & Omit<ReplayOptions, "tauBench">;

/**
 * Replays one recording.
 * @throws {DataError} If no record is valid.
 */
export async function replayRecording(
  recording: Recording,
  options: RecordingOptions,
): Promise<FileReport> {
  const { path, format } = recording;
  const replayed = format === "results"
    ? await replayEpisodes(recording, options)
    : await replayRecords({ ...recording, format }, options);
  const { unreadable, skipped, otherData, ...counts } = replayed;
  const domain = domainKey(options.dataset);
  const all = [...recording.faults ?? [], ...unreadable]
    .sort((a, b) => a.number - b.number);
  return {
    path,
    format,
    domain,
    ...counts,
    ...(all.length === 0 ? {} : { unreadable: all }),
    ...(skipped.length === 0 ? {} : { skipped }),
    ...(otherData === undefined ? {} : { otherData }),
  };
}

interface Replayed extends
  Required<
    Pick<
      FileReport,
      "records" | "steps" | "mismatches" | "unreadable" | "skipped"
    >
  > {
  readonly otherData?: FileReport["otherData"];
}

async function replayRecords(
  { path, format, records, numbers }: Recording & {
    readonly format: Exclude<RecordingFormat, "results">;
  },
  { dataset, onMismatch, onRecord, signal }: RecordingOptions,
): Promise<Replayed> {
  const context = { dataset, domain: domainOf(dataset) };
  const unreadable: RecordFault[] = [];
  let [steps, mismatches] = [0, 0];
  for (const [i, record] of records.entries()) {
    signal?.throwIfAborted();
    const number = numbers?.[i] ?? i + 1;
    try {
      const replayed = await replayers[format](
        { record, path, number },
        context,
      );
      steps += replayed.steps;
      mismatches += replayed.mismatches.length;
      replayed.mismatches.forEach((mismatch) => onMismatch?.(mismatch));
    } catch (error) {
      // A damaged record is skipped. If all are damaged, the last error is thrown.
      if (!(error instanceof DataError)) throw error;
      if (unreadable.length === records.length - 1) throw error;
      unreadable.push({ number, what: recordFault(error, path) });
    }
    onRecord?.(path, i + 1, records.length);
  }
  const count = records.length - unreadable.length;
  return { records: count, steps, mismatches, unreadable, skipped: [] };
}

/** Replays the episodes of a τ-bench result file. */
async function replayEpisodes(
  { path, records, numbers }: Recording,
  { dataset, onMismatch, onRecord, signal }: RecordingOptions,
): Promise<Replayed> {
  const read = readResultRecords(
    records.map((record, i) => ({ record, number: numbers?.[i] ?? i + 1 })),
    path,
  );
  const find = taskFinder([dataset], { leastFit: 0 });
  const skipped: RecordFault[] = [];
  const dataMismatches: Mismatch[] = [];
  const golds = { same: 0, other: 0 };
  let [steps, mismatches] = [0, 0];
  for (const [i, record] of read.records.entries()) {
    signal?.throwIfAborted();
    const replayed = await replayResult(record, { dataset, find, path });
    const { number } = record;
    if (replayed.skipped !== undefined) {
      skipped.push({ number, what: `record ${number} ${replayed.skipped}` });
    }
    if (replayed.hasSameGold !== null) {
      golds[replayed.hasSameGold ? "same" : "other"]++;
    }
    steps += replayed.steps;
    mismatches += replayed.mismatches.length;
    replayed.mismatches.forEach((mismatch) => onMismatch?.(mismatch));
    dataMismatches.push(...replayed.dataMismatches);
    onRecord?.(path, i + 1, read.records.length);
  }
  const count = read.records.length - skipped.length;
  const counts = { records: count, steps, unreadable: read.faults, skipped };
  if (golds.other > 0 && golds.same === 0) {
    const otherData = {
      golds: golds.other,
      differences: dataMismatches.length,
    };
    return { ...counts, mismatches, otherData };
  }
  dataMismatches.forEach((mismatch) => onMismatch?.(mismatch));
  return { ...counts, mismatches: mismatches + dataMismatches.length };
}

interface RecordPlace {
  readonly record: JsonObject;
  readonly path: string;
  readonly number: number;
}

type Replayer = (
  place: RecordPlace,
  context: CallContext,
) => Promise<{ steps: number; mismatches: readonly Mismatch[] }>;

const replayers: Readonly<
  Record<Exclude<RecordingFormat, "results">, Replayer>
> = {
  // deno-lint-ignore require-await
  async gold(place, context) {
    const record = checkRecord("gold", place);
    const label = `${record.split}/${record.task_index}`;
    const checker = new Checker({ ...at(place), label });
    const task = taskOf(context.dataset, { ...place, ...record });
    replayGold(record, { ...context, checker, task });
    return { steps: record.steps.length, mismatches: checker.mismatches };
  },
  // deno-lint-ignore require-await
  async fuzz(place, context) {
    const record = checkRecord("fuzz", place);
    const checker = new Checker({ ...at(place), label: `case ${record.case}` });
    replayFuzz(record, { ...context, checker });
    return { steps: record.steps.length, mismatches: checker.mismatches };
  },
  async fuzz_reward(place, { dataset }) {
    const record = checkRecord("fuzz_reward", place);
    const checker = new Checker({ ...at(place), label: `case ${record.case}` });
    const task = taskOf(dataset, { ...place, ...record });
    await replayFuzzReward(record, { dataset, task, checker });
    return { steps: record.steps.length, mismatches: checker.mismatches };
  },
  async trajectories(place, { dataset }) {
    const record = checkRecord("trajectories", place);
    const label = `task ${record.task_index}, trial ${record.trial}`;
    const checker = new Checker({ ...at(place), label });
    const split = splitOf(dataset, record);
    const task = taskOf(dataset, { ...place, ...record, split });
    await replayTrajectory(record, { dataset, task, checker });
    return { steps: record.steps.length, mismatches: checker.mismatches };
  },
};

function at({ path, number }: RecordPlace): { path: string; record: number } {
  return { path, record: number };
}

function taskOf(
  dataset: Dataset,
  { path, number, split, task_index }: RecordPlace & {
    split: Split;
    task_index: number;
  },
): Task {
  const task = dataset.tasks(split)[task_index];
  if (task !== undefined) return task;
  throw new DataError(
    `Cannot replay "${path}": record ${number} refers to task ${task_index} of the split "${split}", whose size is ${
      dataset.tasks(split).length
    }`,
    {
      path,
      hint:
        "pass --tau-bench DIR with the data that the recording was made with",
    },
  );
}

/**
 * Returns the split of a trajectory: the first split in which the task with the recorded index has the recorded gold
 * actions or, if there is none, the dataset's first split.
 */
function splitOf(
  dataset: Dataset,
  { task_index, reward_info }: ReturnType<typeof checkRecord<"trajectories">>,
): Split {
  const fitting = reward_info?.actions === undefined
    ? undefined
    : dataset.splits.find((split) =>
      isGoldOf(dataset.tasks(split)[task_index], reward_info.actions)
    );
  return fitting ?? dataset.splits[0] ?? "test";
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new ConfigError(
      `Cannot read the recording "${path}": ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/**
 * Returns the domain of a recording: the domain that the records name or, if they name none, the domain whose tools
 * they call. The domain of a result file is always inferred, from its users and tools.
 */
async function recordedDomain(
  { path, format, records }: Recording,
  tauBench: string,
): Promise<DomainName> {
  const named = records.map((record) => record.get("env"))
    .find((env) => typeof env === "string");
  try {
    if (format === "results") return await domainOfResults(records, tauBench);
    const domain = named ?? await domainByTools(records, tauBench);
    return keyOf(domainNamed(domain));
  } catch (error) {
    throw new ConfigError(
      `Cannot replay "${path}": ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Returns the domain to which most episodes in a result file belong. */
async function domainOfResults(
  records: readonly JsonObject[],
  tauBench: string,
): Promise<DomainName> {
  const find = taskFinder(await datasetsIn(tauBench));
  const numbered = records.map((record, i) => ({ record, number: i + 1 }));
  const domains = readResultRecords(numbered, "").records
    .flatMap((record) => find(record) ?? [])
    .map(({ dataset }) => domainKey(dataset));
  const most = mostFrequent(domains);
  if (most !== undefined) return most;
  throw new DataError(
    `no dataset in "${tauBench}" contains the recorded tasks`,
    {
      hint:
        "pass --tau-bench DIR with the data that the recording was made with",
    },
  );
}

async function domainByTools(
  records: readonly JsonObject[],
  tauBench: string,
): Promise<DomainName> {
  const called = records.flatMap(calledTools);
  const domains = domainNames(isOfTauBench);
  const counts = await Promise.all(domains.map(async (domain) => {
    const names = await toolNamesIn(tauBench, domain);
    return called.filter((name) => names.has(name)).length;
  }));
  const most = Math.max(...counts);
  return domains[counts.indexOf(most)] ?? "";
}

function calledTools(record: JsonObject): string[] {
  const steps = record.get("steps");
  if (!Array.isArray(steps)) return [];
  return steps.flatMap((step) => {
    const action = step instanceof Map ? step.get("action") : undefined;
    const name = action instanceof Map ? action.get("name") : undefined;
    return typeof name === "string" ? [name] : [];
  });
}
