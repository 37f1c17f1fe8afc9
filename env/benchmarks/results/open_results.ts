/** Reads result files of τ-bench and τ³-bench, and Inspect logs. The kind of a file is detected from its content. */

import { objectText } from "../../json_records.ts";
import { isZip } from "../../zip_archive.ts";
import { readEvalLog } from "../inspect/eval_log.ts";
import { readResultFile, resultFaults } from "../tau/results/result_file.ts";
import { datasetsIn, tasksOfRecords } from "../tau/results/result_tasks.ts";
import {
  isTau3Results,
  readTau3Results,
} from "../tau3/results/tau3_result_file.ts";
import { tau3TasksOf } from "../tau3/results/tau3_result_tasks.ts";
import type { KnownTasks, ResultEpisode } from "./result_episode.ts";

/** The contents of a result file or an Inspect log. */
export interface ResultsFile {
  readonly benchmark: "tau-bench" | "tau3-bench";
  readonly records: readonly ResultEpisode[];
  /** A sentence about the records that could not be read; `null` if all were read. */
  readonly fault: string | null;
  /**
   * Finds the tasks of the records. `directory` contains the benchmark's data.
   * @throws {DataError} If the benchmark's data in the directory cannot be read, or if a τ³-bench file does not name
   * its domain.
   */
  tasksIn(directory: string): Promise<KnownTasks>;
}

/**
 * Reads a result file or an Inspect log. An Inspect log is treated as a τ-bench result file.
 * @param bytes The file's content, optionally gzip-compressed.
 * @throws {DataError} If no record can be read; the message describes the first problem.
 */
export function openResults(bytes: Uint8Array, path: string): ResultsFile {
  const isLog = isZip(bytes);
  const text = isLog ? undefined : objectText(bytes, path);
  if (text !== undefined && isTau3Results(text)) {
    const file = readTau3Results(text, path);
    return {
      benchmark: "tau3-bench",
      records: file.records,
      fault: resultFaults(file),
      tasksIn: (directory) => tau3TasksOf(file, directory),
    };
  }
  const file = isLog ? readEvalLog(bytes, path) : readResultFile(bytes, path);
  return {
    benchmark: "tau-bench",
    records: file.records,
    fault: resultFaults(file),
    tasksIn: async (directory) =>
      tasksOfRecords(file.records, await datasetsIn(directory)),
  };
}
