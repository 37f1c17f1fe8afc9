/** The episodes of a benchmark's result file, to be diagnosed as those of a run are. */

import { readFile } from "node:fs/promises";
import { openResults } from "../../env/benchmarks/results/open_results.ts";
import type { ResultEpisode } from "../../env/benchmarks/results/result_episode.ts";
import { mostOf } from "../../env/benchmarks/tau/results/result_tasks.ts";
import { tauBenchDir } from "../../env/benchmarks/tau/tau_bench.ts";
import { tau3BenchDir } from "../../env/benchmarks/tau3/load_bundle.ts";
import { DataError, messageOf } from "../../env/errors.ts";
import type { Dataset, StopReason, Task } from "../../env/types.ts";
import { turnsOf } from "../runs/run_episodes.ts";
import type { BenchmarkDirs } from "../config/open_dataset.ts";
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
 * @throws {ConfigError} If no directory of its benchmark's data is given.
 * @throws {DataError} If it is none, or is not of the data in the directory.
 */
export async function readResultEpisodes(
  path: string,
  { tauBench, tau3Bench }: BenchmarkDirs,
): Promise<ResultEpisodes> {
  const file = openResults(await readFile(path), path);
  const isTau3 = file.benchmark === "tau3-bench";
  const directory = isTau3 ? tau3BenchDir(tau3Bench) : tauBenchDir(tauBench);
  const tasks = await file.tasksIn(directory);
  const dataset = mostOf(
    file.records.flatMap(({ number }) => tasks.get(number)?.dataset ?? []),
  );
  if (dataset === undefined) {
    throw new DataError(
      `No episode of "${path}" is of a user or calls a tool that "${directory}" has`,
      {
        path,
        hint:
          `name the data that it was recorded on by --${file.benchmark} DIR`,
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
        `${unknown} of ${file.records.length} episodes are of no task that the data or the file has`,
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
      rewardDetail: reward,
      reason: null,
      failure,
      findings: null,
    },
  };
}
