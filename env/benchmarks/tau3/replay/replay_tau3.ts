/**
 * Replays τ³-bench recordings with this implementation. Every tool result, state, reward, message and prompt must equal
 * its recorded value.
 */

import { readFile } from "node:fs/promises";
import { ConfigError, DataError, messageOf } from "../../../errors.ts";
import { readJsonRecords, type RecordFault } from "../../../json_records.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { Checker, type Mismatch } from "../../tau/replay/mismatch.ts";
import {
  loadTau3,
  loadTau3Tasks,
  type Tau3Bundle,
  type Tau3Tasks,
} from "../load_bundle.ts";
import {
  type Guidelines,
  readGuidelines,
  readTau3Prompts,
  type Tau3Prompts,
} from "../tau3_prompts.ts";
import { replayCalls } from "./replay_answers.ts";
import { replayConversation } from "./replay_conversations.ts";
import { replayEvaluation, replayGoldRecord } from "./replay_evaluations.ts";
import { formatOf, recordFault } from "../../recorded_formats.ts";
import { replayPrompts } from "./replay_prompts.ts";
import {
  checkTau3Record,
  TAU3_MARKS,
  type Tau3RecordingFormat,
} from "./tau3_recording.ts";

/** The result of replaying one file. */
export interface Tau3FileReport {
  readonly path: string;
  readonly format: Tau3RecordingFormat;
  /** The domains of the records, joined by commas. */
  readonly domain: string;
  /** The number of replayed records. */
  readonly records: number;
  /** The number of compared calls, messages or prompts. */
  readonly steps: number;
  readonly mismatches: number;
  /** Records that could not be read; absent if there are none. */
  readonly unreadable?: readonly RecordFault[];
}

/** Options for {@linkcode replayTau3Files}. */
export interface Tau3ReplayOptions {
  /** The directory of τ³-bench's data. */
  readonly tau3Bench: string;
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
 * @throws {ConfigError} If a file cannot be read, or this version of taulab does not implement the domain of a record.
 * @throws {DataError} If a file has no valid record, or the dataset cannot be read.
 */
export async function replayTau3Files(
  paths: readonly string[],
  { tau3Bench, ...watched }: Tau3ReplayOptions,
): Promise<Tau3FileReport[]> {
  const files = await Promise.all(paths.map(readRecording));
  const data = new ReplayData(tau3Bench);
  const reports: Tau3FileReport[] = [];
  for (const file of files) {
    reports.push(
      await replayRecords(file, { data, ...watched }),
    );
  }
  return reports;
}

/** A file of records in one format. */
interface RecordFile {
  readonly path: string;
  readonly format: Tau3RecordingFormat;
  readonly records: readonly { number: number; record: JsonObject }[];
  readonly faults: readonly RecordFault[];
}

async function readRecording(path: string): Promise<RecordFile> {
  const { records, faults } = readJsonRecords(await bytesOf(path), path);
  if (records.length === 0) {
    throw new DataError(
      `Cannot replay "${path}": ${faults[0]?.what ?? "it has no records"}`,
      { path },
    );
  }
  const format = formatOf(records.map(({ record }) => record), {
    marks: TAU3_MARKS,
    path,
  });
  return { path, format, records, faults };
}

/**
 * Replays the records of a file. An invalid record is reported and skipped. If all records are invalid, the last error
 * is thrown.
 */
async function replayRecords(
  { path, format, records, faults }: RecordFile,
  { data, onMismatch, onRecord, signal }:
    & { data: ReplayData }
    & Omit<Tau3ReplayOptions, "tau3Bench">,
): Promise<Tau3FileReport> {
  const unreadable = [...faults];
  const domains = new Set<string>();
  let [replayed, steps, mismatches] = [0, 0, 0];
  for (const [i, { record, number }] of records.entries()) {
    signal?.throwIfAborted();
    const checker = new Checker({ path, record: number, label: label(record) });
    try {
      steps += await replayers[format]({ record, path, number }, {
        data,
        checker,
      });
      replayed++;
      domains.add(String(record.get("domain")));
    } catch (error) {
      const isLast = i === records.length - 1;
      if (!(error instanceof DataError) || isLast && replayed === 0) {
        throw error;
      }
      unreadable.push({ number, what: recordFault(error, path) });
    }
    mismatches += checker.mismatches.length;
    checker.mismatches.forEach((mismatch) => onMismatch?.(mismatch));
    onRecord?.(path, i + 1, records.length);
  }
  return {
    path,
    format,
    domain: [...domains].join(", "),
    records: replayed,
    steps,
    mismatches,
    ...unreadable.length > 0 && { unreadable },
  };
}

interface RecordPlace {
  readonly record: JsonObject;
  readonly path: string;
  readonly number: number;
}

interface ReplayContext {
  readonly data: ReplayData;
  readonly checker: Checker;
}

/**
 * A function that replays a record.
 * @returns The number of steps that were compared.
 */
type Replayer = (place: RecordPlace, context: ReplayContext) => Promise<number>;

const replayers: Readonly<Record<Tau3RecordingFormat, Replayer>> = {
  async gold(place, { data, checker }) {
    const record = checkTau3Record("gold", place);
    const bundle = await data.bundle(record.domain);
    const prompts = await data.prompts();
    await replayGoldRecord(record, { bundle, prompts, checker });
    return record.trajectories.reduce(
      (sum, { calls }) => sum + calls.length,
      record.steps.length,
    );
  },
  async fuzz(place, { data, checker }) {
    const record = checkTau3Record("fuzz", place);
    const bundle = await data.bundle(record.domain);
    replayCalls(record, { bundle, checker });
    return record.steps.length;
  },
  async evaluators(place, { data, checker }) {
    const record = checkTau3Record("evaluators", place);
    const bundle = await data.bundle(record.domain);
    const prompts = await data.prompts();
    await replayEvaluation(record, { bundle, prompts, checker });
    return record.messages.length;
  },
  async orchestrator(place, { data, checker }) {
    const record = checkTau3Record("orchestrator", place);
    const bundle = await data.bundle(record.domain);
    const prompts = await data.prompts();
    await replayConversation(record, { bundle, prompts, checker });
    const messages = record.result.get("messages");
    return Array.isArray(messages) ? messages.length : 0;
  },
  async prompts({ record }, { data, checker }) {
    const name = String(record.get("domain"));
    const bundle = await data.bundle(name);
    return replayPrompts(record, {
      bundle,
      workflow: await data.workflow(bundle),
      prompts: await data.prompts(),
      guidelines: await data.guidelines(),
      userHasTools: bundle.part.userTools !== undefined,
      checker,
    });
  },
};

/** The data for replaying records, loaded on first use. */
class ReplayData {
  readonly #dir: string;
  readonly #bundles = new Map<string, Promise<Tau3Bundle>>();
  readonly #workflows = new Map<string, Promise<Tau3Tasks | undefined>>();
  #prompts: Promise<Tau3Prompts> | undefined;
  #guidelines: Promise<Guidelines> | undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  bundle(name: string): Promise<Tau3Bundle> {
    return kept(this.#bundles, name, () => loadTau3(this.#dir, name));
  }

  /** Loads the workflow variant of a domain, or returns `undefined` if the domain's policy is a single text. */
  workflow({ name, policies }: Tau3Bundle): Promise<Tau3Tasks | undefined> {
    return kept(
      this.#workflows,
      name,
      async () =>
        "policy" in policies.agent
          ? undefined
          : await loadTau3Tasks(this.#dir, `${name}-workflow`),
    );
  }

  prompts(): Promise<Tau3Prompts> {
    return this.#prompts ??= readTau3Prompts(this.#dir);
  }

  guidelines(): Promise<Guidelines> {
    return this.#guidelines ??= readGuidelines(this.#dir);
  }
}

function kept<T>(
  map: Map<string, Promise<T>>,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Returns a record's label: `case N` if the record has a case number, otherwise `task ID`. */
function label(record: JsonObject): string {
  const [id, number] = [record.get("task_id"), record.get("case")];
  return number === undefined ? `task ${id}` : `case ${number}`;
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new ConfigError(
      `Cannot read the recording "${path}": ${messageOf(error)}`,
      { cause: error },
    );
  }
}
