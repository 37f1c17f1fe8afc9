/**
 * Estimates a run's sizes and duration. Sizes are computed from the config. Rates are measured on the untrained policy
 * by running a cold-start step, a prefill and a short sampling run.
 */

import type { Dataset, Split } from "../../env/types.ts";
import { pickBatch } from "../batch.ts";
import type { Config } from "../config/config.ts";
import { memoryPlan, processGrowth } from "./memory_plan.ts";
import { parameterCount } from "./policy.ts";
import { type CpuLab, createCpuLab } from "./cpu_lab.ts";
import { CONTROL_BUDGETS } from "../runs/control_budget.ts";
import { mean } from "../runs/episode_stats.ts";
import { peakRssBytes } from "../runs/run_dir.ts";
import { evalJobs, type EvalPlan } from "../held_out.ts";
import { devSteps } from "../phases.ts";
import type { TrainSequence } from "../trainer.ts";

/** A run's estimated sizes and duration. */
export interface Plan {
  readonly tasks: Readonly<Partial<Record<Split, number>>>;
  readonly parameters: number;
  readonly demonstrations: number;
  /**
   * The number of train tasks without a demonstration, because the expert did not solve the task or its conversation
   * exceeds the token limit.
   */
  readonly notDemonstrated: number;
  /**
   * The median and the maximum number of tokens per demonstration, and the mean share of a demonstration's tokens that
   * the policy learns.
   */
  readonly tokens: {
    readonly median: number;
    readonly max: number;
    readonly learntShare: number;
  };
  /** The number of episodes sampled for rejection fine-tuning and RL, without refills. */
  readonly rlEpisodes: number;
  /** The number of episodes sampled for evaluation. */
  readonly evalEpisodes: number;
  /**
   * The estimated peak memory of the process: the policy, the preparation of the run, and the growth during the run.
   */
  readonly memoryBytes: number;
  readonly rates: Rates;
  /** The estimated duration of the run in seconds, assuming that conversations are as long as the demonstrations. */
  readonly seconds: number;
}

/** Speeds in tokens per second across all threads. */
export interface Rates {
  readonly trained: number;
  /** The rate of prefill, which processes the context. */
  readonly read: number;
  readonly sampled: number;
}

/** Estimates a run's sizes and duration. Takes a few seconds and writes nothing. */
export async function makePlan(
  config: Config,
  dataset: Dataset,
): Promise<Plan> {
  await using lab = await createCpuLab({ config, dataset });
  const { sequences, unsolved, tooLong } = lab.demonstrations;
  const rates = await measureRates(lab, config);
  const lengths = sequences.map(({ ids }) => ids.length).sort((a, b) => a - b);
  const { coldStart, rft, rl } = config;
  const rftEpisodes = rft.steps * rft.tasksPerStep;
  const rlEpisodes = rl.steps * rl.tasksPerStep * rl.groupSize;
  const evalEpisodes = countEvalEpisodes(lab, config);
  return {
    tasks: Object.fromEntries(
      dataset.splits.map((split) => [split, dataset.tasks(split).length]),
    ),
    parameters: parameterCount(config.model),
    demonstrations: sequences.length,
    notDemonstrated: unsolved + tooLong,
    tokens: {
      median: lengths[lengths.length >> 1] ?? 0,
      max: lengths.at(-1) ?? 0,
      learntShare: mean(sequences.map(learntShare)),
    },
    rlEpisodes: rftEpisodes + rlEpisodes,
    evalEpisodes,
    memoryBytes: await expectedMemory(lab, config) +
      processGrowth(
        coldStart.steps * coldStart.batchSize + rftEpisodes + rlEpisodes +
          evalEpisodes,
      ),
    rates,
    seconds: expectedSeconds({
      config,
      sequences,
      rates,
      sampledEpisodes: rftEpisodes + rlEpisodes,
      trainedEpisodes: rft.steps * rft.updates * rft.batchSize + rlEpisodes,
      evalEpisodes,
    }),
  };
}

async function expectedMemory(lab: CpuLab, config: Config): Promise<number> {
  const { rollout, rl, threads, model } = config;
  const lengths = lab.demonstrations.sequences.map(({ ids }) => ids.length);
  const { total } = await memoryPlan(model, {
    threads,
    longest: Math.max(1, ...lengths),
    cacheTokens: Math.min(
      rollout.cacheTokens,
      rollout.concurrency * Math.ceil(mean(lengths)),
    ),
    reference: rl.klCoef > 0,
  });
  // The current memory depends on when V8 last collected garbage.
  const beside = peakRssBytes() - lab.policy.usage.bytes;
  return Math.max(0, beside) + total;
}

function expectedSeconds(of: {
  config: Config;
  sequences: readonly TrainSequence[];
  rates: Rates;
  sampledEpisodes: number;
  trainedEpisodes: number;
  evalEpisodes: number;
}): number {
  const { coldStart, control } = of.config;
  const tokens = mean(of.sequences.map(({ ids }) => ids.length));
  const share = mean(of.sequences.map(learntShare));
  const episode = tokens *
    (share / of.rates.sampled + (1 - share) / of.rates.read);
  const sequence = tokens / of.rates.trained;
  const { sampledEpisodes, trainedEpisodes, evalEpisodes } = of;
  const learning = sampledEpisodes * episode + trainedEpisodes * sequence;
  const learningTokens = sampledEpisodes * share + trainedEpisodes;
  return coldStart.steps * coldStart.batchSize * sequence + learning +
    (control.seconds ? learning : 0) +
    (control.tokens ? learningTokens * sequence : 0) +
    evalEpisodes * episode;
}

function countEvalEpisodes(lab: CpuLab, config: Config): number {
  const { control } = config;
  const jobs = (plan: EvalPlan) => evalJobs(lab, config, plan).length;
  const testRuns = 2 + CONTROL_BUDGETS.filter((one) => control[one]).length;
  return devSteps(config).length * jobs({ split: "dev", decoding: "sampled" }) +
    testRuns * jobs({ split: "test", decoding: "sampled" }) +
    testRuns * jobs({ split: "test", decoding: "greedy" });
}

async function measureRates(lab: CpuLab, config: Config): Promise<Rates> {
  const { sequences } = lab.demonstrations;
  const size = Math.min(config.rollout.concurrency, sequences.length);
  const batch = pickBatch(sequences, { seed: config.seed, step: 1, size });
  const prompts = batch.map(({ ids }) =>
    Array.from(ids).slice(0, Math.ceil(ids.length / 2))
  );
  const total = (all: readonly ArrayLike<number>[]) =>
    all.reduce((sum, ids) => sum + ids.length, 0);
  const readS = await seconds(() => continueAll(lab, prompts, 1));
  const sampled = 32;
  const sampledS = await seconds(() => continueAll(lab, prompts, sampled));
  // One step to warm up, one to measure; a learning rate of 0 leaves the policy unchanged.
  const step = () =>
    lab.trainer.supervised(batch, { learningRate: 0, maxGradNorm: 1 });
  await step();
  const trainedS = await seconds(step);
  return {
    read: total(prompts) / readS,
    sampled: size * sampled / sampledS,
    trained: total(batch.map(({ ids }) => ids)) / trainedS,
  };
}

/**
 * Samples `maxTokens` tokens after each prompt. The sessions stay cached, so a second call processes at most the last
 * page of each prompt again.
 */
async function continueAll(
  lab: CpuLab,
  prompts: readonly (readonly number[])[],
  maxTokens: number,
): Promise<void> {
  await Promise.all(prompts.map((ids, i) =>
    lab.policy.generate({
      ids,
      session: `plan/${i}`,
      maxTokens,
      temperature: 1,
      stopIds: [],
      seed: i,
    })
  ));
}

async function seconds(action: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await action();
  return (performance.now() - startedAtMs) / 1000;
}

function learntShare({ ids, lossMask }: TrainSequence): number {
  return Array.from(lossMask).reduce((sum, mask) => sum + mask, 0) / ids.length;
}
