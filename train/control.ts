/**
 * Trains the control for RL: a policy that starts from the same cold start and continues to imitate the same
 * demonstrations, for as many seconds or tokens as RL used. Comparing RL with the control shows how much of the gain is
 * due to RL, and not merely to longer training.
 *
 * The control starts from the last checkpoint of the cold start with a fresh optimizer, as RL does. Because the cold
 * start may have finished its decay, the learning rate warms up again, to `control.peakShare` of the cold start's peak,
 * and decays linearly over the control's own steps. The number of steps is computed from RL's metrics before the first
 * step, so a run that was killed and resumed ends like an uninterrupted one. The weights are in `control/<budget>/`,
 * separate from the policy's.
 */

import { join } from "node:path";
import { PolicyError, RunDirError } from "../env/errors.ts";
import type { Config } from "./config/config.ts";
import type { EvalPlan } from "./held_out.ts";
import { checkpointSteps } from "./runs/checkpoint_dirs.ts";
import { CONTROL_BUDGETS, controlSteps } from "./runs/control_budget.ts";
import {
  type ControlBudget,
  type Evaluated,
  type Metrics,
  METRICS_VERSION,
  type SupervisedNumbers,
  type Timing,
} from "./runs/metrics.ts";
import { phaseEnds } from "./phases.ts";
import { removeIfThere } from "./runs/storage.ts";
import type { TrainingDir } from "./runs/training_dir.ts";
import { learningRateAt, type Schedule } from "./schedule.ts";
import type { Trainer } from "./trainer.ts";

/** The parts of the training loop that a control uses. */
export interface ControlLoop {
  readonly run: TrainingDir;
  readonly trainer: Trainer;
  /** Whether an abort was requested. */
  readonly stopped: boolean;
  /** Performs one supervised step on the batch of demonstrations for step `step`. */
  imitate(
    activity: { phase: "control"; doing: ControlBudget; step: number },
    learningRate: number,
  ): Promise<SupervisedNumbers & { timing: Timing }>;
  commit(line: Metrics): Promise<void>;
  /**
   * Evaluates the policy or a control after a step.
   * @returns `true` if the evaluation completed, `false` if it was aborted.
   */
  evaluate(step: number, plan: EvalPlan, of: Evaluated): Promise<boolean>;
}

/**
 * Trains a control and evaluates it on the test split, after RL.
 * @returns `true` if it completed, `false` if it was aborted.
 * @throws {TrainerError} If the control diverges.
 * @throws {RunDirError} If a checkpoint is damaged or cannot be written.
 */
export async function trainControl(
  loop: ControlLoop,
  budget: ControlBudget,
): Promise<boolean> {
  const { run } = loop;
  const { coldStart, checkpoints } = run.config;
  const last = phaseEnds(run.config).rl;
  if (isEvaluated(run.metrics, budget)) return true;
  const steps = controlSteps(run.metrics, budget);
  const schedule = controlSchedule(run.config, steps);
  const done = stepsDone(run.metrics, budget);
  const weights = new ControlWeights(loop, budget);
  let step = await weights.restore(done);
  while (step < steps && !loop.stopped) {
    step++;
    const numbers = await loop.imitate(
      { phase: "control", doing: budget, step: coldStart.steps + step },
      learningRateAt(step, schedule),
    );
    // If the run was killed, the steps since the last checkpoint are already in the metrics.
    if (step > done) {
      await loop.commit({
        schemaVersion: METRICS_VERSION,
        step: last,
        phase: "control",
        budget,
        controlStep: step,
        controlSteps: steps,
        ...numbers,
      });
    }
    const isDue = step % checkpoints.every === 0 || step === steps;
    if (isDue || loop.stopped) await weights.save(step);
  }
  if (step < steps) return false;
  const of = { phase: "control_eval" as const, budget };
  await loop.evaluate(last, { split: "test", decoding: "sampled" }, of);
  return await loop.evaluate(last, { split: "test", decoding: "greedy" }, of);
}

/** Returns the controls that a config (`now`) enables, but an earlier config (`before`) did not. */
export function addedControls(
  before: Pick<Config, "control">,
  now: Pick<Config, "control">,
): ControlBudget[] {
  return CONTROL_BUDGETS.filter((budget) =>
    now.control[budget] && !before.control[budget]
  );
}

/** Returns the learning-rate schedule of a control with this many steps. */
export function controlSchedule(
  { coldStart, control }: Pick<Config, "coldStart" | "control">,
  steps: number,
): Schedule {
  return {
    learningRate: control.peakShare * coldStart.learningRate,
    warmupSteps: Math.min(coldStart.warmupSteps, Math.floor(steps / 10)),
    finalShare: control.finalShare,
    steps,
  };
}

/** The checkpoints of a control. Only the latest checkpoint is kept. */
class ControlWeights {
  readonly #run: TrainingDir;
  readonly #trainer: Trainer;
  readonly #folder: string;

  constructor({ run, trainer }: ControlLoop, budget: ControlBudget) {
    this.#run = run;
    this.#trainer = trainer;
    this.#folder = join("control", budget);
  }

  /**
   * Loads the control's last checkpoint. If it has none, removes its folder, loads the checkpoint at the end of the
   * cold start, and resets the optimizer.
   * @param done The last step of the control in the metrics; later checkpoints are ignored.
   * @returns The step of the control's checkpoint; 0 if it has none.
   */
  async restore(done: number): Promise<number> {
    const { path, config } = this.#run;
    const saved = await checkpointSteps(path, this.#folder);
    const step = saved.findLast((one) => one <= done);
    if (step !== undefined) {
      const dir = join(path, this.#folder, String(step));
      await this.#load(
        dir,
        `remove "${dir}" and resume to train the control from the beginning`,
      );
      return step;
    }
    // An existing folder belongs to an earlier RL phase, which was trained again.
    await removeIfThere(join(path, this.#folder));
    const { steps } = config.coldStart;
    const dir = join(this.#run.checkpointPath(steps), "policy");
    await this.#load(dir, "restore it, or start a new run");
    this.#trainer.resetOptimizer();
    return 0;
  }

  async save(step: number): Promise<void> {
    const { path } = this.#run;
    await this.#trainer.save(join(path, this.#folder, String(step)));
    for (const other of await checkpointSteps(path, this.#folder)) {
      if (other === step) continue;
      await removeIfThere(join(path, this.#folder, String(other)));
    }
  }

  async #load(dir: string, hint: string): Promise<void> {
    try {
      await this.#trainer.load(dir);
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      throw new RunDirError(
        `Cannot train the control of "${this.#run.path}": ${error.message}`,
        { cause: error, hint },
      );
    }
  }
}

function stepsDone(lines: readonly Metrics[], budget: ControlBudget): number {
  return Math.max(
    0,
    ...lines.map((line) =>
      line.phase === "control" && line.budget === budget ? line.controlStep : 0
    ),
  );
}

function isEvaluated(
  lines: readonly Metrics[],
  budget: ControlBudget,
): boolean {
  return lines.filter((line) =>
    line.phase === "control_eval" && line.budget === budget
  ).length === 2;
}
