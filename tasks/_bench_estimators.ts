/**
 * Benchmarks how well a recipe learns with each advantage estimator, importance ratio and credit assignment. All
 * variants of a seed start from the same policy and sample the same tasks. The starting policy is the result of
 * rejection fine-tuning or, if the recipe has none, of the cold start. Each variant has its own run dir, so an
 * interrupted benchmark can be resumed.
 */

import { join } from "node:path";
import { ADVANTAGE_NAMES } from "../train/advantage.ts";
import {
  type Config,
  type Override,
  type Recipe,
  resolveConfig,
} from "../train/config/config.ts";
import { configSchema } from "../train/config/config_schema.ts";
import { CREDIT_NAMES } from "../train/credit.ts";
import { forkRun } from "../train/fork_run.ts";
import type { Activity } from "../train/loop.ts";
import { openTraining } from "../train/open_training.ts";
import { phaseEnds } from "../train/phases.ts";
import type { Phase } from "../train/runs/metrics.ts";
import { checkResume } from "../train/runs/resume_check.ts";
import { readTextIfThere } from "../train/runs/storage.ts";
import { type Passes, summarize } from "../train/runs/summary.ts";
import { readRun } from "../train/runs/training_dir.ts";
import { runSession } from "../train/session.ts";

/** The baseline settings, which override the recipe. Each variant except the baseline changes one of them. */
const PLAIN = {
  advantage: "dr-grpo",
  ratio: "token",
  credit: "episode",
} satisfies Partial<Config["rl"]>;

/** The overrides of each variant, keyed by its name; `dr-grpo` is the baseline. */
const VARIANTS: Readonly<Record<string, Partial<Config["rl"]>>> = {
  ...Object.fromEntries(
    ADVANTAGE_NAMES.map((advantage) => [advantage, { ...PLAIN, advantage }]),
  ),
  sequence: { ...PLAIN, ratio: "sequence", clipLow: 0.01, clipHigh: 0.01 },
  ...Object.fromEntries(
    CREDIT_NAMES.filter((credit) => credit !== PLAIN.credit)
      .map((credit) => [credit, { ...PLAIN, credit }]),
  ),
};

/** The names of the variants: first the estimators, then the importance ratios and the credit assignments. */
export const VARIANT_NAMES: readonly string[] = Object.keys(VARIANTS);

/** Options for {@linkcode benchEstimators}. */
export interface EstimatorBenchOptions {
  readonly recipe: Recipe;
  /** Overrides for keys of the recipe. */
  readonly overrides: readonly Override[];
  /** The names of the variants to train, from {@linkcode VARIANT_NAMES}. */
  readonly variants: readonly string[];
  /** The number of seeds; the benchmark uses seeds 1 to `seeds`. */
  readonly seeds: number;
  /** The directory that contains the run dirs. */
  readonly runs: string;
  readonly signal: AbortSignal;
  readonly onStage?: (text: string) => void;
}

/** The results of one run. */
export interface VariantRun extends Passes {
  readonly seed: number;
  /**
   * The total duration of the training steps in seconds, without evaluations. The steps of a starting policy are those
   * of the cold start and of rejection fine-tuning. The steps of a variant are those of RL.
   */
  readonly seconds: number;
}

/**
 * Trains a starting policy for each seed, and every variant from that policy.
 * @returns The runs of each variant, one per seed, keyed by the variant's name. The key `start` has the runs of the
 * starting policies.
 * @throws {ConfigError} If an existing run has another config.
 * @throws {DOMException} An `AbortError` if the benchmark is interrupted. The next call resumes it.
 */
export async function benchEstimators(
  options: EstimatorBenchOptions,
): Promise<Map<string, VariantRun[]>> {
  const all = new Map<string, VariantRun[]>();
  const add = (name: string, run: VariantRun) =>
    all.set(name, [...(all.get(name) ?? []), run]);
  for (let seed = 1; seed <= options.seeds; seed++) {
    const plan = (name: string, rl: Partial<Config["rl"]>) => ({
      seed,
      name,
      path: join(options.runs, `estimators-s${seed}-${name}`),
      config: configOf(options, seed, rl),
    });
    const start = plan("start", { steps: 0 });
    const { coldStart, final, seconds } = await trained(start, options);
    const passes = start.config.rft.steps > 0 ? final : coldStart;
    add("start", { seed, seconds: seconds("cold_start", "rft"), ...passes });
    for (const name of options.variants) {
      const variant = plan(name, VARIANTS[name]!);
      if (!await isThere(variant)) {
        await forkRun(start.path, { to: variant.path, config: variant.config });
      }
      const { final, seconds } = await trained(variant, options);
      add(name, { seed, seconds: seconds("rl"), ...final });
    }
  }
  return all;
}

function configOf(
  { recipe, overrides }: EstimatorBenchOptions,
  seed: number,
  rl: Partial<Config["rl"]>,
): Config {
  const origin = "the benchmark";
  return resolveConfig(recipe, [
    ...overrides,
    { path: ["seed"], value: seed, origin },
    ...Object.entries(rl).map(([key, value]) => ({
      path: ["rl", key],
      value,
      origin,
    })),
  ]);
}

interface Plan {
  readonly seed: number;
  readonly name: string;
  readonly path: string;
  readonly config: Config;
}

/** Trains a run to its end, resuming it if it is unfinished, and returns its results. A completed run is only read. */
async function trained(
  { path, config, seed, name }: Plan,
  { signal, onStage = () => {} }: EstimatorBenchOptions,
) {
  const isResumed = await isThere({ path });
  const earlier = isResumed ? await readRun(path) : undefined;
  if (earlier) checkResume(earlier, { config, schema: configSchema });
  if (earlier?.info.outcome !== "completed") {
    await using opened = await openTraining({ path, config, isResumed }, {
      signal,
    });
    const last = phaseEnds(config).rl;
    await runSession({
      ...opened,
      signal,
      onActivity: ({ doing, step }: Activity) =>
        onStage(`seed ${seed} · ${name} · step ${step}/${last} · ${doing}`),
    });
  }
  signal.throwIfAborted();
  const { lines } = await readRun(path);
  const seconds = (...phases: readonly Phase[]) =>
    lines.filter((line) => phases.includes(line.phase)).reduce(
      (sum, { timing }) => sum + (timing.seconds["total"] ?? 0),
      0,
    );
  return { ...summarize(lines, config.coldStart.steps), seconds };
}

async function isThere({ path }: Pick<Plan, "path">): Promise<boolean> {
  return await readTextIfThere(join(path, "config.yaml")) !== undefined;
}
