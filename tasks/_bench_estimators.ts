/**
 * How well a recipe learns by each estimator, ratio and credit: of each seed all begin where its rejection fine-tuning
 * ends, or else its cold start, and sample the same tasks. Each is a run dir, so that an interrupted one is resumed.
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

/** What all variants but for their own key have in common, whatever the recipe says. */
const PLAIN = {
  advantage: "dr-grpo",
  ratio: "token",
  credit: "episode",
} satisfies Partial<Config["rl"]>;

/** What each sets over the recipe; `dr-grpo` is the plain one. */
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

/** Their names: estimators first, then what else an update can do in another way. */
export const VARIANT_NAMES: readonly string[] = Object.keys(VARIANTS);

/** Settings of {@linkcode benchEstimators}. */
export interface EstimatorBenchOptions {
  readonly recipe: Recipe;
  /** What is set over it. */
  readonly overrides: readonly Override[];
  /** Of {@linkcode VARIANT_NAMES}. */
  readonly variants: readonly string[];
  /** Seeds 1 to this. */
  readonly seeds: number;
  /** Where the run dirs are. */
  readonly runs: string;
  readonly signal: AbortSignal;
  readonly onStage?: (text: string) => void;
}

/** The figures of one run. */
export interface VariantRun extends Passes {
  readonly seed: number;
  /** What its steps took, the start's or the policy gradient's, without evaluations. */
  readonly seconds: number;
}

/**
 * Trains the starts and, from each, every variant.
 * @returns The runs of each by its name, one a seed; the starts are `start`.
 * @throws {ConfigError} If a run is there that began with another config.
 * @throws {DOMException} `AbortError`, if it was interrupted; called again, it goes on.
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

/** Trains a run to its end, unless that has been done. */
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
