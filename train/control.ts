/**
 * The control of RL: what further imitation makes of the same cold start, on the same demonstrations, for as many
 * seconds or tokens as RL took. It tells RL's gain from that of a cold start which was merely stopped early.
 *
 * It begins as RL does, at the cold start's last checkpoint with a fresh optimizer. The cold start may have ended its
 * decay, so the learning rate warms up again, to `control.peakShare` of the cold start's peak, and decays linearly
 * over the control's own steps. How many these are is settled by RL's metrics before the first, so a run that was
 * killed and resumed ends as one that never was. Its weights are in `control/<budget>/`, apart from the policy's.
 */

import { join } from "node:path";
import { messageOf, PolicyError, RunDirError } from "../env/errors.ts";
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

/** What a control takes of the loop. */
export interface ControlLoop {
  readonly run: TrainingDir;
  readonly trainer: Trainer;
  /** Whether an abort asks to stop. */
  readonly stopped: boolean;
  /** One supervised step on the demonstrations whose turn it is at `step`. */
  imitate(
    activity: { phase: "control"; doing: ControlBudget; step: number },
    learningRate: number,
  ): Promise<SupervisedNumbers & { timing: Timing }>;
  commit(line: Metrics): Promise<void>;
  /** @returns Whether that was completed; not so after an abort. */
  evaluate(step: number, plan: EvalPlan, of: Evaluated): Promise<boolean>;
}

/**
 * Trains a control and evaluates it on test, after RL.
 * @returns Whether that was completed; not so after an abort.
 * @throws {TrainerError} If it diverges.
 * @throws {RunDirError} If a checkpoint is damaged or the disk refuses.
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
    // Steps between the last checkpoint and a kill have their lines.
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

/** The controls that a config asks for and an earlier one does not. */
export function addedControls(
  before: Pick<Config, "control">,
  now: Pick<Config, "control">,
): ControlBudget[] {
  return CONTROL_BUDGETS.filter((budget) =>
    now.control[budget] && !before.control[budget]
  );
}

/** The learning rate of a control of so many steps. */
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

/** The checkpoints of a control: one at a time. */
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
   * Loads the last checkpoint that is not beyond the `done` steps in the metrics, or else the end of the cold start.
   * @returns Its step; 0 is the end of the cold start.
   */
  async restore(done: number): Promise<number> {
    const { path, config } = this.#run;
    const saved = await checkpointSteps(path, this.#folder);
    const step = saved.findLast((one) => one <= done);
    if (step !== undefined) {
      const dir = join(path, this.#folder, String(step));
      await this.#load(dir, `remove "${dir}" and resume: it is trained again`);
      return step;
    }
    // What is there is of an RL phase that was since trained again.
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
        `Cannot train the control of "${this.#run.path}": ${messageOf(error)}`,
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
