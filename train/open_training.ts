/** All that a session of training takes: the run dir, new or resumed, its dataset, and the user within its budget. */

import { createMeter } from "../env/models/meter.ts";
import { NO_USAGE } from "../env/models/usage.ts";
import type { Dataset, UserFactory } from "../env/types.ts";
import type { Config } from "./config/config.ts";
import { openDataset } from "./config/open_dataset.ts";
import { openUser } from "./config/open_user.ts";
import { checkResume } from "./runs/resume_check.ts";
import { TrainingDir } from "./runs/training_dir.ts";
import { startRun } from "./session.ts";

/** What is trained, and in which run dir. */
export interface TrainingPlan {
  readonly path: string;
  /** Of a new run; left out where one is resumed. */
  readonly config?: Config;
  /** Of a run that is resumed: where τ-bench is now. */
  readonly directory?: string | undefined;
  /** Of a run that is resumed: what it may cost by now. */
  readonly budget?: {
    readonly maxCost?: number | undefined;
    readonly maxTokens?: number | undefined;
  };
}

/** What `runSession()` takes. Held by `await using`. */
export interface OpenTraining extends AsyncDisposable {
  readonly run: TrainingDir;
  readonly dataset: Dataset;
  readonly user: UserFactory;
  /** Aborted once the budget is spent. */
  readonly halt: AbortSignal;
}

/**
 * Opens a run. A user model that does not answer is found out before anything is written.
 * @throws {ConfigError} If the dataset or the model is not there.
 * @throws {RunDirError} If the run used another dataset, or its run dir cannot be used.
 */
export async function openTraining(
  plan: TrainingPlan,
  options: { readonly signal: AbortSignal },
): Promise<OpenTraining> {
  await using stack = new AsyncDisposableStack();
  const { path, budget = {} } = plan;
  const earlier = plan.config === undefined
    ? stack.use(await TrainingDir.resume(path))
    : undefined;
  const config = plan.config ?? earlier!.config;
  const directory = plan.directory ?? config.data.directory;
  const dataset = await openDataset({ ...config.data, directory });
  if (earlier !== undefined) checkResume(earlier, { dataset });
  const meter = createMeter({
    maxCost: budget.maxCost ?? config.budget.maxCost,
    maxTokens: budget.maxTokens ?? config.budget.maxTokens,
    prices: config.prices,
    before: earlier?.userUsage() ?? NO_USAGE,
  });
  const signal = AbortSignal.any([options.signal, meter.signal]);
  const user = await openUser(config, { dataset, meter, signal });
  const run = earlier ?? stack.use(await startRun(path, { config, dataset }));
  const held = stack.move();
  return {
    run,
    dataset,
    user,
    halt: meter.signal,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
