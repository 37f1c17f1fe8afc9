/** `deno task replay`: replays recordings of τ-bench or τ³-bench, and reports differences. */

import { z } from "zod";
import { tauBenchDir } from "../env/benchmarks/tau/tau_bench.ts";
import { ConfigError, DataError } from "../env/errors.ts";
import { faultsText } from "../env/json_records.ts";
import {
  describeMismatch,
  type FileReport,
  replayFiles,
  type ReplayOptions,
} from "../env/benchmarks/tau/replay/replay_recordings.ts";
import { replayTau3Files } from "../env/benchmarks/tau3/replay/replay_tau3.ts";
import { anyPath } from "./_caller_paths.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import { count } from "../train/progress/amounts.ts";
import { isPassed, tau3BenchFlag, tauBenchFlag } from "./_shared_flags.ts";
import { table } from "../train/progress/text_table.ts";

const flags = z.object({
  tauBench: tauBenchFlag,
  tau3Bench: tau3BenchFlag,
});

async function run(
  parsed: z.infer<typeof flags>,
  { operands, terminal, signal }: TaskContext,
): Promise<TaskResult> {
  if (operands.length === 0) {
    throw new ConfigError(
      "No recordings were given",
      { hint: "pass one or more files" },
    );
  }
  const { tauBench, tau3Bench } = dirsOf(parsed);
  if (tauBench !== undefined && tau3Bench !== undefined) {
    throw new ConfigError(
      "Both --tau-bench (or TAU_BENCH_DIR) and --tau3-bench (or TAU3_BENCH_DIR) are set",
      { hint: "pass only the flag for the benchmark of the recordings" },
    );
  }
  const watched: Pick<ReplayOptions, "signal" | "onMismatch" | "onRecord"> = {
    signal,
    onMismatch: (mismatch) => terminal.print(describeMismatch(mismatch)),
    onRecord: (path, done, of) => terminal.progress(`${path}: ${done}/${of}`),
  };
  const replayed: Promise<readonly Report[]> = tau3Bench === undefined
    ? replayFiles(operands, { tauBench: tauBenchDir(tauBench), ...watched })
    : replayTau3Files(operands, { tau3Bench, ...watched });
  const files = await replayed.catch((error) => {
    // Exit status 1 means mismatches; a file that cannot be replayed at all is misuse.
    throw error instanceof DataError
      ? new ConfigError(error.message, { hint: error.hint, cause: error })
      : error;
  });
  const total = {
    records: sum(files, "records"),
    steps: sum(files, "steps"),
    mismatches: sum(files, "mismatches"),
  };
  terminal.endProgress();
  files.flatMap(notesOf).forEach((note) => terminal.print(note));
  terminal.print(table([
    ["file", "format", "domain", "records", "steps", "mismatches"],
    ...files.map((file) => [
      file.path,
      file.format,
      file.domain,
      ...counts(file),
    ]),
    ["total", "", "", ...counts(total)],
  ]));
  return {
    json: { files, ...total },
    exitCode: total.mismatches === 0 && files.every(isWhole)
      ? EXIT.done
      : EXIT.failed,
  };
}

function isWhole({ unreadable }: Report): boolean {
  return unreadable === undefined;
}

/** Returns the benchmarks' directories. If only one of them is on the command line, the other is ignored. */
function dirsOf(dirs: z.infer<typeof flags>): z.infer<typeof flags> {
  const isTau = isPassed("tau-bench");
  if (isTau === isPassed("tau3-bench")) return dirs;
  return isTau ? { tauBench: dirs.tauBench } : { tau3Bench: dirs.tau3Bench };
}

/** Returns notes on what was skipped in a file, and on recordings that were made with other data. */
function notesOf(
  { path, records, unreadable = [], skipped = [], otherData }: Report,
): string[] {
  const all = records + unreadable.length + skipped.length;
  return [
    ...(unreadable.length === 0
      ? []
      : [`${path}: ${faultsText(unreadable, all)}`]),
    ...skipped.map(({ what }) => `${path}: ${what}`),
    ...(otherData === undefined ? [] : [
      `${path}: recorded with other data: its gold states do not match (${
        count(otherData.golds)
      }), nor do some texts and states (${
        count(otherData.differences)
      }). Only rewards and endings are compared`,
    ]),
  ];
}

/** The report on a file of recordings from either benchmark. */
type Report = Omit<FileReport, "format"> & { readonly format: string };

type Counts = Pick<Report, "records" | "steps" | "mismatches">;

function counts({ records, steps, mismatches }: Counts): string[] {
  return [count(records), count(steps), count(mismatches)];
}

function sum(files: readonly Counts[], key: keyof Counts): number {
  return files.reduce((total, file) => total + file[key], 0);
}

export const task = await main(import.meta, {
  name: "replay",
  summary:
    "Replay recordings from tau-bench or tau3-bench, and check that every observation, state and reward matches the recording",
  flags,
  operands: {
    name: "FILE...",
    description:
      "Recordings, or result files that tau-bench wrote or published; may be compressed with gzip",
    isPath: anyPath,
  },
  examples: [{
    command:
      "deno task replay --tau-bench ../tau-bench replays/fuzz_retail.jsonl.gz",
    does: "replay unusual calls to retail's tools",
  }, {
    command:
      "deno task replay --tau-bench ../tau-bench ../tau-bench/historical_trajectories/gpt-4o-airline.json",
    does:
      "replay tau-bench's published trajectories, with the file's own gold actions if a task has changed since",
  }, {
    command:
      "deno task replay --tau3-bench ../shared/tau3-bench ../shared/tau3-bench/replays/orchestrator.jsonl.gz",
    does: "replay tau3-bench conversations, message by message",
  }],
  run,
});
