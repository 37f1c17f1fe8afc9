/** The episodes of a τ-bench result file, to be diagnosed as those of a run are. */

import { readFile } from "node:fs/promises";
import {
  readResultFile,
  resultFaults,
  type ResultRecord,
} from "../../env/benchmarks/tau/results/result_file.ts";
import {
  datasetsIn,
  mostOf,
  tasksOfRecords,
} from "../../env/benchmarks/tau/results/result_tasks.ts";
import { DataError, messageOf } from "../../env/errors.ts";
import type { Dataset, StopReason, Task } from "../../env/types.ts";
import { turnsOf } from "../runs/run_episodes.ts";
import type { DiagnosableEpisode } from "./diagnosis_report.ts";

/** A result file that is looked into. */
export interface ResultEpisodes {
  readonly dataset: Dataset;
  readonly episodes: readonly DiagnosableEpisode[];
  /** What of the file is left out, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Reads a result file and finds its tasks; the gold that it holds counts where today's task is another.
 * @throws {DataError} If it is none, or is not of the data in `tauBench`.
 */
export async function readResultEpisodes(
  path: string,
  tauBench: string,
): Promise<ResultEpisodes> {
  const file = readResultFile(await readFile(path), path);
  const tasks = tasksOfRecords(file.records, await datasetsIn(tauBench));
  const dataset = mostOf(
    file.records.flatMap(({ number }) => tasks.get(number)?.dataset ?? []),
  );
  if (dataset === undefined) {
    throw new DataError(
      `No episode of "${path}" is of a user or calls a tool that "${tauBench}" has`,
      {
        path,
        hint: "name the data that it was recorded on by --tau-bench DIR",
      },
    );
  }
  const found = file.records.flatMap((record) => {
    const known = tasks.get(record.number);
    return known?.dataset === dataset ? [episodeOf(record, known.task)] : [];
  });
  const unknown = file.records.length - found.length;
  const faults = resultFaults(file);
  return {
    dataset,
    episodes: found,
    notes: [
      ...(faults === null ? [] : [faults]),
      ...(unknown === 0 ? [] : [
        `${unknown} of ${file.records.length} episodes are of no task that the data or the file has`,
      ]),
    ],
  };
}

function episodeOf(record: ResultRecord, task: Task): DiagnosableEpisode {
  const { number, trial, reward, failure, stop } = record;
  const turns = () => {
    try {
      return turnsOf(record.turns);
    } catch (error) {
      throw new DataError(
        `Record ${number} has a call that cannot be read (${messageOf(error)})`,
        { cause: error },
      );
    }
  };
  return {
    task,
    turns,
    // A file does not say where its agent was cut off; what is not known is no reason.
    stopReason: (stop === "unknown" ? "max_turns" : stop) as StopReason,
    record: {
      id: number,
      step: trial,
      source: "trial",
      reward: reward?.value ?? null,
      reason: null,
      failure,
      findings: null,
    },
  };
}
