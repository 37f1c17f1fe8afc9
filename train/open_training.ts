/**
 * Opens everything that a training session needs: the run dir (new or resumed), the dataset, and the simulated user
 * with its budget.
 */

import { createMeter } from "../env/models/meter.ts";
import { NO_USAGE } from "../env/models/usage.ts";
import type { Dataset, UserFactory } from "../env/types.ts";
import type { Config } from "./config/config.ts";
import { openDataset } from "./config/open_dataset.ts";
import { openUser } from "./config/open_user.ts";
import { refuseTaken } from "./runs/run_dir.ts";
import { checkResume } from "./runs/resume_check.ts";
import { TrainingDir } from "./runs/training_dir.ts";
import { startRun } from "./session.ts";

/** The config to train and its run dir. */
export interface TrainingPlan {
  readonly path: string;
  readonly isResumed: boolean;
  /**
   * Whether a new run gets a numbered name, such as `PATH-2`, if `path` exists. If `false`, the default, an existing
   * path is an error.
   */
  readonly numberIfTaken?: boolean;
  /** Whether to go back to the last intact checkpoint. Used only for a resumed run; see `TrainingDir.resume()`. */
  readonly discard?: boolean;
  /** The config. For a resumed run, this is the run's own config with the flags applied to the keys that may change. */
  readonly config: Config;
}

/** The input of `runSession()`. Use it with `await using`. */
export interface OpenTraining extends AsyncDisposable {
  readonly run: TrainingDir;
  readonly dataset: Dataset;
  readonly user: UserFactory;
  /** Aborted when the budget is spent. */
  readonly halt: AbortSignal;
}

/**
 * Opens a run. A new run dir is created only after the user's model has answered; a resumed run adopts the plan's
 * config.
 * @throws {ConfigError} If the dataset or the model is not available, or the run dir exists already.
 * @throws {RunDirError} If the run used another dataset, or its run dir cannot be used.
 */
export async function openTraining(
  plan: TrainingPlan,
  options: { readonly signal: AbortSignal },
): Promise<OpenTraining> {
  await using stack = new AsyncDisposableStack();
  const { path, config, isResumed, discard = false, numberIfTaken = false } =
    plan;
  const earlier = isResumed
    ? stack.use(await TrainingDir.resume(path, { discard }))
    : undefined;
  if (!isResumed && !numberIfTaken) await refuseTaken(path);
  const dataset = await openDataset(config.data, options);
  if (earlier !== undefined) {
    checkResume(earlier, { dataset });
    await earlier.reconfigure(config);
  }
  const meter = createMeter({
    ...config.budget,
    prices: config.prices,
    before: earlier?.userUsage() ?? NO_USAGE,
  });
  const signal = AbortSignal.any([options.signal, meter.signal]);
  const user = await openUser(config, { dataset, meter, signal });
  const run = earlier ??
    stack.use(await startRun(path, { config, dataset, numberIfTaken }));
  const held = stack.move();
  return {
    run,
    dataset,
    user,
    halt: meter.signal,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
