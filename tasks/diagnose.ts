/**
 * `deno task diagnose RUN`: why episodes earned no reward, by replaying them. No model is asked, unless by `--judge`.
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
import { advisoriesText } from "./_advisory_view.ts";
import { runOrFile } from "./_caller_paths.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import { diagnosedJson, reportText } from "./_diagnose_view.ts";
import {
  budgetFlags,
  runPath,
  runsFlag,
  tau3BenchFlag,
  tauBenchFlag,
} from "./_shared_flags.ts";

const { provider } = endpointSchema.shape;

const flags = z.object({
  source: z.string().optional().meta({
    description:
      "Which episodes: rl, eval/dev/greedy, evaluate/test; default: all",
    value: "SOURCE",
  }),
  step: z.int().min(0).optional().meta({
    description: "Only episodes of this step",
  }),
  show: z.int().min(0).default(20).meta({
    description: "Failed episodes to list, each with its first decisive error",
  }),
  judge: z.string().min(1).optional().meta({
    description:
      "Also ask this model who is at fault, and count how often it agrees",
    value: "MODEL",
  }),
  judgeProvider: provider.unwrap().optional().meta({
    description: "Whose API the judge has",
  }),
  judgeBaseUrl: z.string().min(1).optional().meta({
    description:
      "The judge's endpoint; default: OPENAI_BASE_URL or OPENAI_API_BASE, else the provider's",
    value: "URL",
  }),
  concurrency: z.int().min(1).default(16).meta({
    description: "Episodes that the judge looks at at once",
  }),
  ...budgetFlags,
  tauBench: tauBenchFlag.meta({
    description: "Directory of tau-bench's data; default: where the run had it",
  }),
  tau3Bench: tau3BenchFlag.meta({
    description:
      "Directory of tau3-bench's data; default: where the run had it",
  }),
  runs: runsFlag,
});

type Flags = z.infer<typeof flags>;

async function run(flags: Flags, context: TaskContext): Promise<TaskResult> {
  const { terminal, signal } = context;
  const path = await runOf(flags, context.operands);
  using opened = await openEpisodes(path, flags);
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
  /** What to look at in the whole run; none of a result file. */
  readonly advisories: readonly Advisory[];
  /** What is left out of them. */
  readonly notes: readonly string[];
}

/** The episodes of a run, or of a benchmark's result file. */
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

/** @throws {ConfigError} If no episode is of the source and the step that the flags name. */
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

/** That no episode is of this source and step, and which there are. */
function noEpisodes(
  all: readonly DiagnosableEpisode["record"][],
  { source, step }: Flags,
): ConfigError {
  const sources = [...new Set(all.map((one) => one.source))];
  const steps = all.filter((one) =>
    source === undefined || one.source === source
  )
    .map((one) => one.step);
  const asked = [
    ...(source === undefined ? [] : [`--source ${source}`]),
    ...(step === undefined ? [] : [`--step ${step}`]),
  ].join(" ");
  return new ConfigError(
    `The run has no episodes${asked === "" ? "" : ` of ${asked}`}`,
    {
      hint: source !== undefined && !sources.includes(source)
        ? `its sources are ${sources.join(", ")}`
        : steps.length === 0
        ? "name another run"
        : `its steps are ${Math.min(...steps)} to ${Math.max(...steps)}`,
    },
  );
}

async function runOf(
  { runs }: Flags,
  [named, ...more]: readonly string[],
): Promise<string> {
  if (more.length > 0) {
    throw new ConfigError("One run is diagnosed at a time", {
      hint: "name one",
    });
  }
  if (named !== undefined) {
    return await isFile(named) ? named : runPath(named, runs);
  }
  const latest = await latestRun(runs);
  if (latest !== undefined) return latest;
  throw new ConfigError(`There is no run in "${runs}"`, {
    hint: 'make one by "deno task train" or "deno task evaluate"',
  });
}

/** Asks the judge, within its budget. */
async function judged(
  diagnosed: readonly Diagnosed[],
  flags: Flags,
  context: TaskContext,
): Promise<Diagnosed[]> {
  const { maxCost = null, maxTokens = null, concurrency } = flags;
  const meter = createMeter({ maxCost, maxTokens, prices: {} });
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
    "Say why episodes earned no reward: what differs, the first decisive error, whose fault it is",
  flags,
  operands: {
    name: "RUN",
    description:
      "A run, an evaluation, or a result file of tau-bench or tau3-bench; default: the run that began last",
    isPath: runOrFile,
  },
  examples: [
    {
      command: "deno task diagnose",
      does: "all failed episodes of the last run",
    },
    {
      command: "deno task diagnose a1 --source eval/test/greedy --show 50",
      does: "those of one evaluation, fifty of them listed",
    },
    {
      command: "deno task diagnose results.json --tau-bench ../tau-bench",
      does: "a file that tau-bench wrote or published, by the gold in it",
    },
    {
      command:
        "deno task diagnose simulations/results.json --tau3-bench ../tau2-bench",
      does: "a file that tau3-bench wrote, by the tasks in it",
    },
    {
      command: "deno task diagnose a1 --judge gpt-4o --max-tokens 500000",
      does: "also what a model says, and how often it agrees with the rules",
    },
  ],
  interruptNote: "Ending with what is there; Ctrl-C again stops at once",
  run,
});
