/**
 * `deno task diagnose RUN`: replays episodes to explain why they earned no reward. It uses a model only with `--judge`.
 */

import { z } from "zod";
import { ConfigError, messageOf } from "../env/errors.ts";
import { createMeter } from "../env/models/meter.ts";
import type { Dataset } from "../env/types.ts";
import { endpointSchema } from "../train/config/config_sections.ts";
import { openChatModel } from "../train/config/open_model.ts";
import { advisoriesOf, type Advisory } from "../train/diagnosis/advisories.ts";
import {
  diagnoseFailed,
  failedOf,
  judgeAll,
} from "../train/diagnosis/diagnose_run.ts";
import {
  type DiagnosableEpisode,
  type Diagnosed,
  diagnosisReport,
} from "../train/diagnosis/diagnosis_report.ts";
import { readResultEpisodes } from "../train/diagnosis/result_episodes.ts";
import { openRunEpisodes } from "../train/runs/run_episodes.ts";
import { latestRun, readMetrics } from "../train/runs/run_reader.ts";
import { count } from "../train/progress/amounts.ts";
import { advisoriesText } from "./_advisory_view.ts";
import { runOrFile } from "./_caller_paths.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import { diagnosedJson, reportText } from "./_diagnose_view.ts";
import {
  budgetFlags,
  refuseUnusedBenchmark,
  runPath,
  runsFlag,
  tau3BenchFlag,
  tauBenchFlag,
} from "./_shared_flags.ts";

const { provider } = endpointSchema.shape;

const flags = z.object({
  source: z.string().optional().meta({
    description:
      "Diagnose only episodes from this source, such as rl, eval/dev/greedy or evaluate/test; default: all",
    value: "SOURCE",
  }),
  step: z.int().min(0).optional().meta({
    description: "Diagnose only episodes from this step; default: all",
  }),
  show: z.int().min(0).default(20).meta({
    description:
      "Number of failed episodes to list, each with its first decisive error",
  }),
  judge: z.string().min(1).optional().meta({
    description:
      "Also ask this model who is at fault, and report how often it agrees with the rules",
    value: "MODEL",
  }),
  judgeProvider: provider.unwrap().optional().meta({
    description: "Provider whose API the judge's endpoint implements",
  }),
  judgeBaseUrl: z.string().min(1).optional().meta({
    description:
      "URL of the judge's endpoint; if unset, OPENAI_BASE_URL, OPENAI_API_BASE or the provider's own URL",
    value: "URL",
  }),
  concurrency: z.int().min(1).default(16).meta({
    description: "Number of episodes to judge concurrently",
  }),
  maxTokens: budgetFlags.maxTokens.meta({
    description:
      "Budget for the judge in tokens, after which judging stops; no limit if unset",
  }),
  tauBench: tauBenchFlag.meta({
    description: "Directory of tau-bench's data; default: the run's own",
  }),
  tau3Bench: tau3BenchFlag.meta({
    description: "Directory of tau3-bench's data; default: the run's own",
  }),
  runs: runsFlag,
});

type Flags = z.infer<typeof flags>;

async function run(flags: Flags, context: TaskContext): Promise<TaskResult> {
  const { terminal, signal } = context;
  const path = await runOf(flags, context.operands);
  using opened = await openEpisodes(path, flags);
  refuseUnusedBenchmark(flags, opened.dataset.name, { selectedBy: null });
  const episodes = chosen(opened.episodes, flags);
  const line = terminal.counting(
    failedOf(episodes).length,
    "episodes replayed",
  );
  const damaged: string[] = [];
  const diagnosed = diagnoseFailed(opened, episodes, {
    signal,
    onEpisode: () => line.step(),
    onDamaged: ({ record }, why) =>
      damaged.push(`episode ${record.id}: ${why}`),
  });
  const all = flags.judge === undefined
    ? diagnosed
    : await judged(diagnosed, flags, context);
  terminal.endProgress();
  const notes = [...opened.notes, ...damaged];
  notes.forEach((note) => terminal.note(`${path}: ${note}`));
  const report = diagnosisReport(all);
  const { show } = flags;
  const { advisories } = opened;
  const shown = { path, report, all, episodes: episodes.length, show };
  if (advisories.length > 0) {
    terminal.print(`${advisoriesText(advisories)}\n`);
  }
  terminal.print(reportText(shown));
  const json = {
    run_dir: path,
    episodes: episodes.length,
    advisories,
    ...(notes.length === 0 ? {} : { left_out: notes }),
    ...report,
    diagnoses: all.map(diagnosedJson),
  };
  return {
    json,
    next: `deno task view ${path}`,
    ...(signal.aborted ? { exitCode: EXIT.interrupted } : {}),
  };
}

interface OpenedEpisodes extends Disposable {
  readonly dataset: Dataset;
  readonly episodes: readonly DiagnosableEpisode[];
  /** Advisories about the run; empty for a result file. */
  readonly advisories: readonly Advisory[];
  /** Messages about damaged episodes that were skipped. */
  readonly notes: readonly string[];
}

/** Opens the episodes of a run or of a benchmark's result file. */
async function openEpisodes(
  path: string,
  { tauBench, tau3Bench }: Flags,
): Promise<OpenedEpisodes> {
  if (await isFile(path)) {
    const file = await readResultEpisodes(path, { tauBench, tau3Bench });
    return { ...file, advisories: [], [Symbol.dispose]: () => {} };
  }
  const run = await openRunEpisodes(path, { tauBench, tau3Bench });
  return {
    dataset: run.dataset,
    episodes: run.list(),
    advisories: advisoriesOf({
      lines: (await readMetrics(path)).lines,
      tally: run.tally(),
      dataset: run.dataset,
    }),
    notes: run.damaged(),
    [Symbol.dispose]: () => run[Symbol.dispose](),
  };
}

async function isFile(path: string): Promise<boolean> {
  const stat = await Deno.stat(path).catch(() => null);
  return stat?.isFile ?? false;
}

/**
 * Returns the episodes that the flags select.
 * @throws {ConfigError} If no episode matches the flags.
 */
function chosen(
  all: readonly DiagnosableEpisode[],
  flags: Flags,
): readonly DiagnosableEpisode[] {
  const { step, source: named } = flags;
  const source = named === "grpo" ? "rl" : named;
  const episodes = all.filter(({ record }) =>
    (source === undefined || record.source === source) &&
    (step === undefined || record.step === step)
  );
  if (episodes.length > 0) return episodes;
  throw noEpisodes(all.map(({ record }) => record), { ...flags, source });
}

/**
 * Returns the error for the case in which no episode has the requested `source` and `step`. Its hint names sources or
 * steps that do have episodes, or suggests another run if there are none.
 */
function noEpisodes(
  all: readonly DiagnosableEpisode["record"][],
  { source, step }: Flags,
): ConfigError {
  const sources = [...new Set(all.map((one) => one.source))];
  const steps = [
    ...new Set(
      all.filter((one) => source === undefined || one.source === source)
        .map((one) => one.step),
    ),
  ].sort((a, b) => a - b);
  const asked = [
    ...(source === undefined ? [] : [`--source ${source}`]),
    ...(step === undefined ? [] : [`--step ${step}`]),
  ].join(" ");
  return new ConfigError(
    `The run has no episodes${asked === "" ? "" : ` for ${asked}`}`,
    {
      hint: sources.length === 0
        ? "pass another run"
        : source !== undefined && !sources.includes(source)
        ? valueHint("--source", sources)
        : steps.length <= MAX_STEPS
        ? valueHint("--step", steps)
        : `pass --step with one of the ${count(steps.length)} steps from ${
          steps[0]
        } to ${steps.at(-1)} that have episodes`,
    },
  );
}

/** Returns a hint to pass one of the values of a flag. */
function valueHint(flag: string, values: readonly unknown[]): string {
  const oneOf = values.length === 1 ? "" : "with one of ";
  return `pass ${flag} ${oneOf}${values.join(", ")}`;
}

/** The maximum number of steps that a hint lists. */
const MAX_STEPS = 20;

async function runOf(
  { runs }: Flags,
  [named]: readonly string[],
): Promise<string> {
  if (named !== undefined) {
    return await isFile(named) ? named : runPath(named, runs);
  }
  const latest = await latestRun(runs);
  if (latest !== undefined) return latest;
  throw new ConfigError(`There is no run in "${runs}"`, {
    hint: 'create one with "deno task train" or "deno task evaluate"',
  });
}

/** Requests the judge's verdict on each diagnosis. If the judge's budget is used up, stops and prints a note. */
async function judged(
  diagnosed: readonly Diagnosed[],
  flags: Flags,
  context: TaskContext,
): Promise<Diagnosed[]> {
  const { maxTokens = null, concurrency } = flags;
  const meter = createMeter({ maxTokens });
  const signal = AbortSignal.any([context.signal, meter.signal]);
  const config = endpointSchema.parse({
    model: flags.judge,
    temperature: 0,
    provider: flags.judgeProvider,
    baseUrl: flags.judgeBaseUrl,
  });
  const model = await openChatModel(config, {
    source: "model",
    meter,
    flag: "--judge",
    signal,
  });
  const line = context.terminal.counting(diagnosed.length, "episodes judged");
  const onEpisode = () => line.step();
  const options = { model, concurrency, signal, onEpisode };
  const all = await judgeAll(diagnosed, options);
  if (meter.signal.aborted) {
    context.terminal.note(messageOf(meter.signal.reason));
  }
  return all;
}

export const task = await main(import.meta, {
  name: "diagnose",
  summary:
    "Explain why episodes earned no reward: what differs, the first decisive error, and who is at fault",
  flags,
  operands: {
    name: "RUN",
    description:
      "Run, evaluation, or result file from tau-bench or tau3-bench; default: the latest run",
    isPath: runOrFile,
  },
  examples: [
    {
      command: "deno task diagnose",
      does: "diagnose all failed episodes of the latest run",
    },
    {
      command: "deno task diagnose a1 --source eval/test/greedy --show 50",
      does: "diagnose the episodes of one evaluation, and list 50 of them",
    },
    {
      command: "deno task diagnose results.json --tau-bench ../tau-bench",
      does:
        "diagnose a tau-bench result file, using the gold actions it contains",
    },
    {
      command:
        "deno task diagnose simulations/results.json --tau3-bench ../tau2-bench",
      does: "diagnose a tau3-bench result file, using the tasks it contains",
    },
    {
      command: "deno task diagnose a1 --judge gpt-4o --max-tokens 500000",
      does: "also ask a model, and report how often it agrees with the rules",
    },
  ],
  interruptNote:
    "Reporting the diagnoses so far; press Ctrl-C again to stop immediately",
  run,
});
