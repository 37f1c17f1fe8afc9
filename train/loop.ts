/**
 * The training algorithm, from start to end: a cold start on expert demonstrations, RL (rejection fine-tuning, then the
 * policy gradient), the evaluation on the test split, and the controls.
 *
 * All randomness is derived from the config's seed and the step. Only the trainer's state and the episodes on disk are
 * carried from step to step, so a run that was killed and resumed ends like an uninterrupted one.
 */

import { join } from "node:path";
import { PolicyError, RunDirError, TrainerError } from "../env/errors.ts";
import { createRng, deriveSeed } from "../env/random.ts";
import type { RewardFunction } from "../env/rollout.ts";
import type { Episode } from "../env/types.ts";
import { pickBatch } from "./batch.ts";
import { type ControlLoop, trainControl } from "./control.ts";
import * as stats from "./runs/episode_stats.ts";
import { evalJobs, type EvalPlan, evalResult, trialsOf } from "./held_out.ts";
import { placeEpisodes, type SampledGroups, sampleGroups } from "./group.ts";
import type { Job, Lab } from "./lab.ts";
import {
  type Evaluated,
  type Metrics,
  METRICS_VERSION,
  metricsSource,
  type Phase,
  type RftMetrics,
  type RlMetrics,
  type SupervisedNumbers,
  type Timing,
} from "./runs/metrics.ts";
import { CONTROL_BUDGETS } from "./runs/control_budget.ts";
import type { TrainingDir } from "./runs/training_dir.ts";
import { checkpointHint } from "./runs/checkpoint_dirs.ts";
import { devSteps, phaseEnds } from "./phases.ts";
import {
  dealBatches,
  isExemplary,
  Solved,
  superviseAll,
  tasksToTry,
} from "./rft.ts";
import { learningRateAt } from "./schedule.ts";
import { Stopwatch } from "./progress/stopwatch.ts";
import type { Trainer } from "./trainer.ts";
import { updateOnGroups } from "./update.ts";

/** Options for {@linkcode train}. */
export interface TrainOptions {
  readonly run: TrainingDir;
  readonly lab: Lab;
  /**
   * The reward function for RL; evaluations always use the benchmark's rule. It is not part of the config, so it must be
   * passed again when a run is resumed. Default: the benchmark's rule.
   */
  readonly reward?: RewardFunction;
  /**
   * Aborting this signal stops the training gracefully: the current step is finished and saved, a running evaluation is
   * discarded, and `train` returns.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Aborting this signal stops all sampling at once, for example because the budget is spent: the current step is
   * discarded, the steps before it are saved, and `train` returns.
   */
  readonly halt?: AbortSignal;
  /** Called for each line of metrics. */
  readonly onLine?: (line: Metrics) => void;
  /** Called repeatedly with the current activity. */
  readonly onActivity?: (activity: Activity) => void;
  /** A monotonic clock in milliseconds. Only timings depend on it. */
  readonly now?: () => number;
}

/** The current activity of the training loop. */
export interface Activity {
  readonly phase: Phase;
  /**
   * What the loop is doing: `rollout`, `update` or `save`, the split being evaluated, or the budget of the control
   * being trained.
   */
  readonly doing: string;
  /**
   * The step in progress, or the step after which the policy is evaluated. A control continues the count of the cold
   * start.
   */
  readonly step: number;
  /** The number of completed episodes in the rollout. */
  readonly done: number;
  readonly of: number;
}

/**
 * Trains a run from its last checkpoint, or from scratch, to its last step. Afterwards, the trainer holds the policy
 * from the end of RL, even if controls were trained.
 * @returns `true` if training completed, `false` if it was aborted.
 * @throws {TrainerError} If the policy diverges.
 * @throws {RunDirError} If a checkpoint is damaged or cannot be written.
 */
export async function train(options: TrainOptions): Promise<boolean> {
  const { run, lab } = options;
  const ends = phaseEnds(run.config);
  const loop = new Loop(options);
  let step = await loop.restore();

  while (step < ends.coldStart) {
    if (loop.stopped) return await loop.stop(step);
    await loop.coldStartStep(++step);
  }

  if (step === ends.coldStart) {
    if (ends.rft > step) lab.trainer.resetOptimizer();
    await loop.evaluate(step, { split: "test", decoding: "sampled" });
    await loop.evaluate(step, { split: "test", decoding: "greedy" });
  }

  await loop.evaluateIfDue(step);
  while (step < ends.rft) {
    if (loop.stopped) return await loop.stop(step);
    if (!await loop.rftStep(step + 1)) return await loop.stop(step);
    await loop.evaluateIfDue(++step);
  }

  if (step === ends.rft) {
    lab.trainer.resetOptimizer();
    if (run.config.rl.klCoef > 0) lab.trainer.setReference();
  }
  while (step < ends.rl) {
    if (loop.stopped) return await loop.stop(step);
    if (!await loop.rlStep(step + 1)) return await loop.stop(step);
    await loop.evaluateIfDue(++step);
  }

  await loop.evaluate(step, { split: "test", decoding: "sampled" });
  const isComplete = await loop.evaluate(step, {
    split: "test",
    decoding: "greedy",
  });
  return isComplete && await loop.controls() || await loop.stop(step);
}

class Loop implements ControlLoop {
  readonly #options: TrainOptions;
  readonly #run: TrainingDir;
  readonly #lab: Lab;
  readonly #watch: Stopwatch;
  readonly #solved: Solved;
  #savedStep = 0;

  constructor(options: TrainOptions) {
    this.#options = options;
    this.#run = options.run;
    this.#lab = options.lab;
    this.#watch = new Stopwatch(options.now ?? (() => performance.now()));
    this.#solved = new Solved();
    for (const { taskId, trajectory } of options.run.trainedOn("rft")) {
      this.#solved.add(taskId, trajectory);
    }
  }

  get run(): TrainingDir {
    return this.#run;
  }

  get trainer(): Trainer {
    return this.#lab.trainer;
  }

  get stopped(): boolean {
    return [this.#options.signal, this.#options.halt]
      .some((signal) => signal?.aborted);
  }

  /** Loads the last checkpoint and returns its step, or 0 if there is none. */
  async restore(): Promise<number> {
    const step = (await this.#run.checkpoints()).at(-1) ?? 0;
    if (step === 0) return 0;
    const dir = this.#run.checkpointPath(step);
    try {
      await this.#lab.trainer.load(join(dir, "policy"));
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      throw new RunDirError(
        `Cannot resume "${this.#run.path}" from its last checkpoint: ${error.message}`,
        { cause: error, hint: checkpointHint(dir) },
      );
    }
    this.#savedStep = step;
    return step;
  }

  /** Performs one step of the cold start. */
  async coldStartStep(step: number): Promise<void> {
    const { coldStart } = this.#run.config;
    const learningRate = learningRateAt(step, coldStart);
    const activity = { phase: "cold_start" as const, doing: "update", step };
    const numbers = await this.imitate(activity, learningRate);
    await this.commit({
      schemaVersion: METRICS_VERSION,
      step,
      phase: "cold_start",
      ...numbers,
    });
    await this.#saveIfDue(step, step === coldStart.steps);
  }

  /** Performs one supervised step on the batch of demonstrations for step `step`. */
  async imitate(
    activity: Pick<Activity, "phase" | "doing" | "step">,
    learningRate: number,
  ): Promise<SupervisedNumbers & { timing: Timing }> {
    const { coldStart, seed } = this.#run.config;
    const batch = pickBatch(this.#lab.demonstrations.sequences, {
      seed,
      step: activity.step,
      size: coldStart.batchSize,
    });
    this.#report(activity);
    const { maxGradNorm } = coldStart;
    const { loss, gradNorm, tokens, lossTokens } = await this.#watch.time(
      "update",
      () => this.#lab.trainer.supervised(batch, { learningRate, maxGradNorm }),
    );
    const timing = this.#timing({ trained: tokens });
    return { loss, gradNorm, learningRate, tokens, lossTokens, timing };
  }

  /**
   * Performs one step of rejection fine-tuning: tries tasks, then imitates the demonstrations and the latest exemplary
   * conversation on each solved task.
   * @returns `true` if the step was completed, `false` if sampling was halted.
   */
  async rftStep(step: number): Promise<boolean> {
    const { rft, seed } = this.#run.config;
    const ends = phaseEnds(this.#run.config);
    const solved = this.#solved;
    const tasks = tasksToTry(this.#lab.dataset.tasks("train"), {
      solved,
      size: rft.tasksPerStep,
      rng: createRng(seed, "rft tasks", step),
    });
    const jobs = tasks.map((task) => ({
      task,
      seed: deriveSeed(seed, "rft", step, task.id),
    }));
    const episodes = await this.#unlessHalted(() =>
      this.#sampleToLearn({ phase: "rft", doing: "rollout", step }, jobs)
    );
    if (episodes === null) return false;
    if (stats.scored(episodes).length === 0) throw allFailed(episodes, step);
    const isLearned = episodes.map((episode) => isExemplary(episode));
    episodes.forEach(({ taskId, trajectory }, i) => {
      if (isLearned[i]) solved.add(taskId, trajectory!);
    });
    const learningRate = learningRateAt(step - ends.coldStart, rft);
    const batches = dealBatches(
      [...this.#lab.demonstrations.sequences, ...solved.sequences],
      {
        batches: rft.updates,
        size: rft.batchSize,
        rng: createRng(seed, "rft batches", step),
      },
    );
    this.#report({ phase: "rft", doing: "update", step });
    const update = await this.#watch.time(
      "update",
      () =>
        superviseAll(this.#lab.trainer, batches, {
          learningRate,
          maxGradNorm: rft.maxGradNorm,
        }),
    );
    const line: RftMetrics = {
      schemaVersion: METRICS_VERSION,
      step,
      phase: "rft",
      ...sampledNumbers(episodes),
      solved: solved.size,
      ...update,
      learningRate,
      timing: this.#timing({ sampled: episodes, trained: update.tokens }),
    };
    await this.commit(
      line,
      episodes.map((episode, group) => ({
        episode,
        place: {
          step,
          source: "rft",
          group,
          advantage: isLearned[group] ? 1 : null,
        },
      })),
    );
    await this.#saveIfDue(step, step === ends.rft);
    return true;
  }

  /**
   * Performs one policy-gradient step: samples groups, computes advantages and updates the policy.
   * @returns `true` if the step was completed, `false` if sampling was halted.
   */
  async rlStep(step: number): Promise<boolean> {
    const { rl, seed } = this.#run.config;
    const ends = phaseEnds(this.#run.config);
    const sampled = await this.#unlessHalted(() => this.#sampleGroups(step));
    if (sampled === null) return false;
    const { groups, episodes, refilled } = sampled;
    if (groups.length === 0) throw allFailed(episodes, step);
    const training = groups.filter((group) => group.variance > 0);
    const learningRate = learningRateAt(step - ends.rft, rl);
    this.#report({ phase: "rl", doing: "update", step });
    const update = await this.#watch.time(
      "update",
      () =>
        updateOnGroups(this.#lab.trainer, training, {
          loss: { ...rl, learningRate },
          minibatches: rl.minibatches,
          lossMean: rl.lossMean,
          negativeWeight: rl.negativeWeight,
          rng: createRng(seed, "minibatches", step),
        }),
    );
    const line: RlMetrics = {
      schemaVersion: METRICS_VERSION,
      step,
      phase: "rl",
      ...sampledNumbers(episodes),
      groupVariance: stats.mean(groups.map((group) => group.variance)),
      zeroVarianceShare: stats.mean(
        groups.map((group) => group.variance > 0 ? 0 : 1),
      ),
      groups: groups.length,
      refilledGroups: refilled,
      trainedGroups: training.length,
      entropy: update.entropy,
      klOld: update.klOld,
      klReference: update.klReference,
      clipShare: update.clipShare,
      gradNorm: update.gradNorm,
      loss: update.loss,
      learningRate,
      timing: this.#timing({ sampled: episodes, trained: update.tokens }),
    };
    await this.commit(line, placeEpisodes(groups, episodes, step));
    await this.#saveIfDue(step, step === ends.rl);
    return true;
  }

  /** Samples the groups of a policy-gradient step. */
  #sampleGroups(step: number): Promise<SampledGroups> {
    const { rl, seed } = this.#run.config;
    const tasks = createRng(seed, "tasks", step).shuffle(
      this.#lab.dataset.tasks("train"),
    );
    const activity = { phase: "rl" as const, doing: "rollout", step };
    return sampleGroups(tasks, {
      ...rl,
      // The seed keeps the phase's old name, because a new one would draw different episodes.
      seedOf: (task, i) => deriveSeed(seed, "grpo", step, task.id, i),
      sample: (jobs) => this.#sampleToLearn(activity, jobs),
    });
  }

  /** Samples episodes with the reward function for RL. */
  #sampleToLearn(
    activity: Omit<Activity, "done" | "of">,
    jobs: readonly Job[],
  ): Promise<readonly Episode[]> {
    const { reward } = this.#options;
    return this.#sample(jobs, {
      temperature: this.#run.config.rollout.temperature,
      activity,
      ...(reward ? { reward } : {}),
    });
  }

  /** Returns the result of a rollout, or `null` if it was halted. */
  async #unlessHalted<T>(rollout: () => Promise<T>): Promise<T | null> {
    try {
      return await this.#watch.time("rollout", rollout);
    } catch (error) {
      if (this.#options.halt?.aborted) return null;
      throw error;
    }
  }

  /** Saves a checkpoint if `step` has none. Returns `false`, the result of an aborted training. */
  async stop(step: number): Promise<false> {
    if (step > this.#savedStep) await this.#save(step);
    return false;
  }

  /**
   * Trains and evaluates the controls that the config enables, then restores RL's policy.
   * @returns `true` if all of them completed.
   */
  async controls(): Promise<boolean> {
    const { control } = this.#run.config;
    const asked = CONTROL_BUDGETS.filter((budget) => control[budget]);
    if (asked.length === 0) return true;
    let isComplete = true;
    for (const budget of asked) {
      isComplete = isComplete && await trainControl(this, budget);
    }
    await this.restore();
    return isComplete;
  }

  /** Evaluates the policy on the dev split if the dataset has that split and an evaluation is due after `step`. */
  async evaluateIfDue(step: number): Promise<void> {
    const { splits } = this.#lab.dataset;
    if (!splits.includes("dev") || !devSteps(this.#run.config).includes(step)) {
      return;
    }
    await this.evaluate(step, { split: "dev", decoding: "sampled" });
  }

  /**
   * Evaluates the trainer's current policy after `step`, unless the run already has that evaluation. An abort discards
   * the evaluation.
   * @returns `true` if the run has the evaluation, `false` if it was aborted.
   */
  async evaluate(
    step: number,
    plan: EvalPlan,
    of: Evaluated = { phase: "eval" },
  ): Promise<boolean> {
    const { config, metrics } = this.#run;
    const source = metricsSource({ ...of, ...plan });
    const isDone = metrics.some((line) =>
      line.step === step && metricsSource(line) === source
    );
    if (isDone || this.stopped) return isDone;
    const activity = { phase: of.phase, doing: plan.split, step };
    const episodes = await this.#watch.time(
      "rollout",
      () => this.#sampleEval(activity, plan),
    );
    if (episodes === null) return false;
    const trials = trialsOf(config, plan);
    const place = (i: number) => ({
      step,
      source,
      group: Math.floor(i / trials),
      advantage: null,
    });
    await this.commit({
      schemaVersion: METRICS_VERSION,
      step,
      ...of,
      ...evalResult(episodes, { ...plan, trials }),
      timing: this.#timing({ sampled: episodes }),
    }, episodes.map((episode, i) => ({ episode, place: place(i) })));
    return true;
  }

  /** Samples the episodes of an evaluation. Returns `null` if it was aborted. */
  async #sampleEval(
    activity: Omit<Activity, "done" | "of">,
    plan: EvalPlan,
  ): Promise<readonly Episode[] | null> {
    const { config } = this.#run;
    try {
      return await this.#sample(evalJobs(this.#lab, config, plan), {
        temperature: plan.decoding === "greedy"
          ? 0
          : config.rollout.temperature,
        activity,
        interruptible: true,
      });
    } catch (error) {
      if (this.stopped) return null;
      throw error;
    }
  }

  async #sample(jobs: readonly Job[], how: {
    temperature: number;
    activity: Omit<Activity, "done" | "of">;
    reward?: RewardFunction;
    interruptible?: boolean;
  }): Promise<readonly Episode[]> {
    let done = 0;
    const { signal, halt } = this.#options;
    const signals = [halt, how.interruptible ? signal : undefined]
      .filter((one) => one !== undefined);
    const report = () =>
      this.#report({ ...how.activity, done, of: jobs.length });
    report();
    return await this.#lab.sample(jobs, {
      temperature: how.temperature,
      ...(how.reward ? { reward: how.reward } : {}),
      ...(signals.length > 0 ? { signal: AbortSignal.any(signals) } : {}),
      onEpisode: () => {
        done++;
        report();
      },
    });
  }

  /** Writes a line of metrics and its episodes, and reports the line. */
  async commit(
    line: Metrics,
    episodes: Parameters<TrainingDir["record"]>[1] = [],
  ): Promise<void> {
    await this.#watch.time("save", () => this.#run.record(line, episodes));
    this.#options.onLine?.(line);
  }

  /** Saves a checkpoint at the configured interval and at the end of a phase. */
  async #saveIfDue(step: number, endOfPhase: boolean): Promise<void> {
    if (endOfPhase || step % this.#run.config.checkpoints.every === 0) {
      await this.#save(step);
    }
  }

  async #save(step: number): Promise<void> {
    const { keep } = this.#run.config.checkpoints;
    const { coldStart, rft } = phaseEnds(this.#run.config);
    await this.#watch.time("save", async () => {
      await this.#run.saveCheckpoint(
        step,
        (dir) => this.#lab.trainer.save(join(dir, "policy")),
      );
      await this.#run.pruneCheckpoints({ keep, spare: [coldStart, rft] });
    });
    this.#savedStep = step;
  }

  #timing(work: { sampled?: readonly Episode[]; trained?: number }) {
    const seconds = this.#watch.lap();
    const sampled = (work.sampled ?? []).reduce(
      (sum, episode) => sum + stats.sampledTokens(episode),
      0,
    );
    return {
      seconds,
      ...(work.sampled
        ? { sampledTokensPerS: sampled / (seconds["rollout"] ?? NaN) }
        : {}),
      ...(work.trained
        ? { trainedTokensPerS: work.trained / (seconds["update"] ?? NaN) }
        : {}),
    };
  }

  #report(activity: Omit<Activity, "done" | "of"> & Partial<Activity>): void {
    this.#options.onActivity?.({ done: 0, of: 0, ...activity });
  }
}

/** Returns the metrics that describe a step's episodes. */
function sampledNumbers(episodes: readonly Episode[]) {
  return {
    reward: stats.mean(stats.scored(episodes).map(stats.rewardOf)),
    episodes: episodes.length,
    failures: stats.failuresByKind(episodes),
    stopReasons: stats.stopReasons(episodes),
    lengths: stats.meanLengths(episodes),
    parseErrors: episodes.reduce(
      (sum, { parseErrors }) => sum + parseErrors,
      0,
    ),
  };
}

/** Returns the error for a step without a single scored episode. Continuing would only waste time. */
function allFailed(episodes: readonly Episode[], step: number): TrainerError {
  const failure = episodes[0]?.failure;
  if (!failure) {
    return new TrainerError(
      `Step ${step} has no episodes: the dataset has no train tasks`,
      { hint: "start a new run with a dataset that has train tasks" },
    );
  }
  const all = episodes.length === 1
    ? "The only episode"
    : `All ${episodes.length} episodes`;
  return new TrainerError(
    `${all} of step ${step} failed for reasons unrelated to the policy; the first error came from the ${failure.source} (${failure.kind}): ${failure.message}`,
    { hint: "fix the cause and resume the run" },
  );
}
