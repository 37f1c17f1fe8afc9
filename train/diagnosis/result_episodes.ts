/** Reads the episodes of a benchmark's result file, so that they can be diagnosed as a run's episodes are. */

import { readFile } from "node:fs/promises";
import { openResults } from "../../env/benchmarks/results/open_results.ts";
import type { ResultEpisode } from "../../env/benchmarks/results/result_episode.ts";
import { mostFrequent } from "../../env/benchmarks/tau/results/result_tasks.ts";
import { tauBenchDir } from "../../env/benchmarks/tau/tau_bench.ts";
import { tau3BenchDir } from "../../env/benchmarks/tau3/load_bundle.ts";
import { DataError, messageOf } from "../../env/errors.ts";
import type { Dataset, StopReason, Task } from "../../env/types.ts";
import { turnsOf } from "../runs/run_episodes.ts";
import type { BenchmarkDirs } from "../config/open_dataset.ts";
import type { DiagnosableEpisode } from "./diagnosis_report.ts";

/** The episodes of a result file. */
export interface ResultEpisodes {
  readonly dataset: Dataset;
  readonly episodes: readonly DiagnosableEpisode[];
  /** Sentences about the parts of the file that were skipped. */
  readonly notes: readonly string[];
}

/**
 * Reads a result file and finds its tasks. If a task has changed since the file was written, the file's gold actions
 * apply.
 * @throws {ConfigError} If the directory of the benchmark's data is not set.
 * @throws {DataError} If it is not a result file, or does not belong to the data in the directory.
 */
export async function readResultEpisodes(
  path: string,
  { tauBench, tau3Bench }: BenchmarkDirs,
): Promise<ResultEpisodes> {
  const file = openResults(await readFile(path), path);
  const isTau3 = file.benchmark === "tau3-bench";
  const directory = isTau3 ? tau3BenchDir(tau3Bench) : tauBenchDir(tauBench);
  const tasks = await file.tasksIn(directory);
  const dataset = mostFrequent(
    file.records.flatMap(({ number }) => tasks.get(number)?.dataset ?? []),
  );
  if (dataset === undefined) {
    throw new DataError(
      `"${path}" does not belong to the data in "${directory}": none of its episodes has a user or a tool call that exists there`,
      {
        path,
        hint:
          `pass --${file.benchmark} DIR with the data that the episodes were recorded with`,
      },
    );
  }
  const found = file.records.flatMap((record) => {
    const known = tasks.get(record.number);
    return known?.dataset === dataset ? [episodeOf(record, known.task)] : [];
  });
  const unknown = file.records.length - found.length;
  const { fault } = file;
  return {
    dataset,
    episodes: found,
    notes: [
      ...(fault === null ? [] : [fault]),
      ...(unknown === 0 ? [] : [
        `Skipped ${unknown} of ${file.records.length} episodes, whose tasks are not among those of the domain "${dataset.domain}"`,
      ]),
    ],
  };
}

function episodeOf(record: ResultEpisode, task: Task): DiagnosableEpisode {
  const { number, trial, reward, failure, stop } = record;
  const turns = () => {
    try {
      return turnsOf(record.turns);
    } catch (error) {
      throw new DataError(
        `Record ${number} has a turn that cannot be read (${messageOf(error)})`,
        { cause: error },
      );
    }
  };
  return {
    task,
    turns,
    // The file does not say why an agent was stopped. An unknown reason counts as the turn limit.
    stopReason: (stop === "unknown" ? "max_turns" : stop) as StopReason,
    record: {
      id: number,
      step: trial,
      source: "trial",
      reward: reward?.value ?? null,
      rewardDetail: reward,
      reason: null,
      failure,
      findings: null,
    },
  };
}
