/**
 * `deno task diagnose RUN`: why episodes earned no reward, by replaying them. No model is asked, unless by `--judge`.
 */

import { z } from "zod";
import { diagnose } from "../env/diagnosis/diagnose.ts";
import { ConfigError, InfrastructureError, messageOf } from "../env/errors.ts";
import { createMeter } from "../env/models/meter.ts";
import type { ChatModel } from "../env/types.ts";
import { endpointSchema } from "../train/config/config_sections.ts";
import { judge } from "../train/diagnosis/judge.ts";
import {
  type Diagnosed,
  diagnosisReport,
} from "../train/diagnosis/diagnosis_report.ts";
import {
  openRunEpisodes,
  type RunEpisode,
  type RunEpisodes,
} from "../train/runs/run_episodes.ts";
import { openChatModel } from "../train/config/open_model.ts";
import { latestRun } from "../train/runs/run_reader.ts";
import { main, type TaskContext, type TaskResult } from "./_cli.ts";
import { diagnosedJson, reportText } from "./_diagnose_view.ts";
import { budgetFlags, runPath, runsFlag } from "./_shared_flags.ts";

const { provider } = endpointSchema.shape;

const flags = z.object({
  source: z.string().optional().meta({
    description:
      "Which episodes: grpo, eval/dev/greedy, evaluate/test; default: all",
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
  tauBench: z.string().optional().meta({
    description: "Directory of tau-bench's data; default: where the run had it",
    value: "DIR",
    env: "TAU_BENCH_DIR",
  }),
  runs: runsFlag,
});

type Flags = z.infer<typeof flags>;

async function run(flags: Flags, context: TaskContext): Promise<TaskResult> {
  const { terminal, signal } = context;
  const path = await runOf(flags, context.operands);
  using run = await openRunEpisodes(
    path,
    flags.tauBench ? { tauBench: flags.tauBench } : {},
  );
  const episodes = run.list({
    ...(flags.source === undefined ? {} : { source: flags.source }),
    ...(flags.step === undefined ? {} : { step: flags.step }),
  });
  const failed = episodes.filter(({ record }) => record.reward !== 1);
  const diagnosed = diagnoseAll(failed, run, context);
  const all = flags.judge === undefined
    ? diagnosed
    : await judgeAll(diagnosed, flags, context);
  terminal.endProgress();
  const report = diagnosisReport(all);
  terminal.print(
    reportText({
      path,
      report,
      all,
      episodes: episodes.length,
      show: flags.show,
    }),
  );
  const json = {
    run_dir: path,
    episodes: episodes.length,
    ...report,
    diagnoses: all.map(diagnosedJson),
  };
  return { json, ...(signal.aborted ? { exitCode: 130 } : {}) };
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
    return runPath(named, runs);
  }
  const latest = await latestRun(runs);
  if (latest !== undefined) return latest;
  throw new ConfigError(
    `There is no run in "${runs}"`,
    { hint: 'make one by "deno task train" or "deno task evaluate"' },
  );
}

function diagnoseAll(
  failed: readonly RunEpisode[],
  { dataset }: RunEpisodes,
  { terminal, signal }: TaskContext,
): Diagnosed[] {
  const line = terminal.counting(failed.length, "episodes replayed");
  const all: Diagnosed[] = [];
  for (const episode of failed) {
    if (signal.aborted) break;
    const { record: { failure, findings }, task, stopReason } = episode;
    const diagnosis = diagnose({ turns: episode.turns(), stopReason }, {
      dataset,
      task,
      failure,
      findings,
    });
    all.push({ episode, diagnosis });
    line.step();
  }
  return all;
}

/** What infrastructure broke needs no judge. */
async function judgeAll(
  diagnosed: readonly Diagnosed[],
  flags: Flags,
  context: TaskContext,
): Promise<Diagnosed[]> {
  const meter = createMeter({
    maxCost: flags.maxCost ?? null,
    maxTokens: flags.maxTokens ?? null,
    prices: {},
  });
  const signal = AbortSignal.any([context.signal, meter.signal]);
  const model = await openJudge(flags, { meter, signal });
  const line = context.terminal.counting(diagnosed.length, "episodes judged");
  const out = [...diagnosed];
  const queue = diagnosed.entries();
  async function work() {
    for (const [index, one] of queue) {
      if (signal.aborted) return;
      out[index] = await verdictOn(one, model, signal);
      line.step();
    }
  }
  await Promise.all(Array.from({ length: flags.concurrency }, work));
  if (meter.signal.aborted) {
    context.terminal.note(messageOf(meter.signal.reason));
  }
  return out;
}

async function openJudge(
  { judge, judgeProvider, judgeBaseUrl }: Flags,
  { meter, signal }: {
    meter: ReturnType<typeof createMeter>;
    signal: AbortSignal;
  },
): Promise<ChatModel> {
  const config = endpointSchema.parse({
    model: judge,
    temperature: 0,
    ...(judgeProvider === undefined ? {} : { provider: judgeProvider }),
    ...(judgeBaseUrl === undefined ? {} : { baseUrl: judgeBaseUrl }),
  });
  return await openChatModel(config, {
    source: "model",
    meter,
    flag: "--judge",
    signal,
  });
}

/** A judge that cannot be reached says nothing of this episode, and its turn is over. */
async function verdictOn(
  one: Diagnosed,
  model: ChatModel,
  signal: AbortSignal,
): Promise<Diagnosed> {
  const { episode, diagnosis } = one;
  if (diagnosis.fault?.by === "infrastructure") return one;
  try {
    const verdict = await judge(model, {
      task: episode.task,
      turns: episode.turns(),
      diagnosis,
    }, { signal });
    return { ...one, verdict };
  } catch (error) {
    if (!(error instanceof InfrastructureError)) throw error;
    return { ...one, verdict: null };
  }
}

if (import.meta.main) {
  await main({
    name: "diagnose",
    summary:
      "Say why episodes earned no reward: what differs, the first decisive error, whose fault it is",
    flags,
    operands: {
      name: "RUN",
      description: "A run or an evaluation; default: the one that began last",
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
        command: "deno task diagnose a1 --judge gpt-4o --max-tokens 500000",
        does: "also what a model says, and how often it agrees with the rules",
      },
    ],
    interruptNote: "Ending with what is there; Ctrl-C again stops at once",
    run,
  });
}
