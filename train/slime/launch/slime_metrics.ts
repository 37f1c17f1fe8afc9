/**
 * Builds the lines of `metrics.jsonl` from the log of slime's driver. Each line describes either a rollout and the
 * training on it, or an evaluation.
 *
 * Several processes log, and Ray interleaves their lines arbitrarily, but the lines of each process stay in order: the
 * rollout manager logs `perf`, then evaluations; the first training rank logs `rollout`, `step`s, `perf`.
 */

import type { EpisodeFailures } from "./log_failures.ts";
import { FailureCounter } from "./log_failures.ts";
import { type LogMetrics, readLogMetrics } from "./log_line.ts";
import {
  type AnyMetrics,
  METRICS_VERSION,
  type SlimeEvalMetrics,
  type SlimeNumbers,
  type SlimeRlMetrics,
} from "../../runs/metrics.ts";

/** The settings of a run that determine its metrics, but are not in its log. */
export interface SlimeMetricsShape {
  /** The number of groups per rollout. */
  readonly batchSize: number;
  readonly groupSize: number;
  /** The number of optimizer steps per rollout. */
  readonly optimizerSteps: number;
  /** The number of episodes per task of an evaluation. */
  readonly evalSamples: number;
  readonly evalDecoding: "sampled" | "greedy";
  /** The number of tasks in each split. If a split is missing, its number of tasks is unknown. */
  readonly evalTasks: Readonly<
    { [S in "dev" | "test"]?: number | undefined }
  >;
}

/** The parts of a rollout that have been logged so far. */
interface Parts {
  sampled?: Values;
  trained?: Values;
  ended?: Values;
  readonly steps: Map<number, Values>;
  failures: EpisodeFailures;
}

type Values = Readonly<Record<string, number>>;

/**
 * The maximum number of rollouts by which the log may be ahead of an incomplete rollout. If the log is further ahead,
 * the missing parts of that rollout are no longer expected. `train_async.py` samples one rollout ahead.
 */
const MAX_OPEN_ROLLOUTS = 2;

/** Reads a log line by line. The same lines always produce the same metrics. */
export class SlimeMetricsReader {
  readonly #shape: SlimeMetricsShape;
  readonly #rollouts = new Map<number, Parts>();
  readonly #failures = new FailureCounter();
  #sampledUpTo = -1;
  /** The number of the first rollout whose line has not been returned yet. */
  #next = 0;

  constructor(shape: SlimeMetricsShape) {
    this.#shape = shape;
  }

  /**
   * Reads the next line of the log.
   * @returns The lines of metrics that are now complete, in order.
   */
  take(line: string): AnyMetrics[] {
    this.#failures.take(line);
    const metrics = readLogMetrics(line);
    if (metrics === undefined) return [];
    if (metrics.kind === "eval") return this.#evaluation(metrics);
    const rollout = metrics.kind === "step"
      ? Math.floor(metrics.id / this.#shape.optimizerSteps)
      : metrics.id;
    if (rollout < this.#next) return []; // its line is written
    this.#add(rollout, metrics);
    return this.#complete(rollout);
  }

  /**
   * Marks the end of the log.
   * @returns The lines of metrics for the remaining rollouts that were trained on. Some of their parts were never
   * logged.
   */
  end(): AnyMetrics[] {
    const lines = this.#inOrder().filter(([, { trained, steps }]) =>
      trained !== undefined || steps.size > 0
    );
    this.#rollouts.clear();
    return lines.map(([id, parts]) => rlLine(id, parts, this.#shape));
  }

  #add(rollout: number, { kind, id, values }: LogMetrics): void {
    const parts = this.#parts(rollout);
    if (kind === "step") parts.steps.set(id, values);
    else if (kind === "rollout") parts.trained = values;
    else if (kind !== "perf") parts.ended = { ...parts.ended, ...values };
    else if ("perf/rollout_time" in values) {
      parts.sampled = values;
      parts.failures = this.#failures.drain();
      this.#sampledUpTo = Math.max(this.#sampledUpTo, rollout);
    } else parts.ended = { ...parts.ended, ...values };
  }

  #parts(rollout: number): Parts {
    const known = this.#rollouts.get(rollout);
    if (known !== undefined) return known;
    const parts: Parts = { steps: new Map(), failures: {} };
    this.#rollouts.set(rollout, parts);
    return parts;
  }

  /**
   * Returns the lines of metrics for rollouts that are complete or whose missing parts are no longer expected. They
   * stay in order: a rollout is returned only after all earlier rollouts.
   */
  #complete(latest: number): AnyMetrics[] {
    const lines: AnyMetrics[] = [];
    for (const [id, parts] of this.#inOrder()) {
      const isWaitedFor = latest - id <= MAX_OPEN_ROLLOUTS;
      if (!this.#isWhole(parts) && isWaitedFor) break;
      this.#rollouts.delete(id);
      this.#next = id + 1;
      lines.push(rlLine(id, parts, this.#shape));
    }
    return lines;
  }

  #isWhole({ sampled, trained, ended, steps }: Parts): boolean {
    return sampled !== undefined && trained !== undefined &&
      ended !== undefined && steps.size >= this.#shape.optimizerSteps;
  }

  #inOrder(): [number, Parts][] {
    return [...this.#rollouts].sort(([a], [b]) => a - b);
  }

  /**
   * Returns the metrics of an evaluation, one line per dataset. If rollout `id` has been sampled, the evaluation counts
   * as step `id + 1`. Otherwise, it counts as step `id`.
   */
  #evaluation({ id, values }: LogMetrics): SlimeEvalMetrics[] {
    const step = id <= this.#sampledUpTo ? id + 1 : id;
    this.#failures.drain(); // these samples belong to the evaluation, which counts its dropped tasks instead
    return evalNames(values).flatMap((name) => {
      const failures = this.#failures.drainEval(name);
      const line = evalLine({ name, step, values, failures }, this.#shape);
      return line === undefined ? [] : [line];
    });
  }
}

function rlLine(
  id: number,
  { sampled = {}, trained = {}, ended = {}, steps, failures }: Parts,
  shape: SlimeMetricsShape,
): SlimeRlMetrics {
  const updates = [...steps].sort(([a], [b]) => a - b).map(([, one]) => one);
  const all = { ...sampled, ...trained, ...meanOf(updates), ...ended };
  return {
    schemaVersion: METRICS_VERSION,
    step: id + 1,
    phase: "rl",
    ...groupsOf({ sampled, trained }, shape),
    ...known({
      entropy: all["train/entropy_loss"],
      klOld: all["train/ppo_kl"],
      klReference: all["train/kl_loss"],
      clipShare: all["train/pg_clipfrac"],
      gradNorm: all["train/grad_norm"],
      loss: all["train/loss"],
      learningRate: updates.at(-1)?.["train/lr-pg_0"],
      parseErrors: all["taulab/parse_errors"],
    }),
    ...countsOf(sampled, failures),
    lengths: known({
      turns: all["taulab/turns"],
      tokens: trained["rollout/total_lengths"],
      sampledTokens: sampled["rollout/response_len/mean"],
    }),
    optimizerSteps: updates.length,
    slime: numbers(all),
    timing: timingOf({ sampled, trained, ended }, shape),
  };
}

/**
 * Returns the metrics of a rollout's groups. The counts of sampled groups and episodes include groups that the filter
 * dropped. The mean reward and the zero-variance share include a dropped group only if its rewards were equal, because
 * slime does not log the rewards of other dropped groups.
 */
function groupsOf(
  { sampled, trained }: { sampled: Values; trained: Values },
  { batchSize, groupSize }: SlimeMetricsShape,
): Partial<SlimeRlMetrics> {
  const raw = trained["rollout/raw_reward"];
  if (!("perf/rollout_time" in sampled)) return known({ reward: raw });
  const under = (prefix: string) =>
    Object.entries(underPrefix(sampled, prefix));
  const count = (entries: readonly [string, number][]) =>
    sum(entries.map(([, n]) => n));
  // The keys end with the common reward of the group: `…zero_std_1.0`.
  const dropped = under("rollout/dynamic_filter/drop_zero_std_");
  const equal = count(under("rollout/zero_std/count_"));
  const allDropped = count(under("rollout/dynamic_filter/drop_"));
  const agreeing = count(dropped);
  const scored = batchSize + agreeing;
  const ofDropped = sum(dropped.map(([reward, n]) => Number(reward) * n));
  return known({
    reward: raw === undefined
      ? undefined
      : (raw * batchSize + ofDropped) / scored,
    zeroVarianceShare: (agreeing + equal) / scored,
    groups: batchSize + allDropped,
    refilledGroups: allDropped,
    trainedGroups: batchSize - equal,
    episodes: (batchSize + allDropped) * groupSize,
  });
}

/**
 * Returns the counts of failures and stop reasons that taulab's hooks log. Dropped episodes are included.
 * @param failures The counts of failures to return if the hooks logged no failures.
 */
function countsOf(
  values: Values,
  failures: EpisodeFailures,
): Partial<SlimeRlMetrics> {
  const counted = underPrefix(values, "taulab/failures/");
  const stops = underPrefix(values, "taulab/stop_reasons/");
  return {
    failures: Object.keys(counted).length > 0 ? counted : failures,
    ...(Object.keys(stops).length > 0 ? { stopReasons: stops } : {}),
  };
}

/** Returns the values whose keys start with a prefix, with the prefix removed from the keys. */
function underPrefix(values: Values, prefix: string): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).filter(([key]) => key.startsWith(prefix))
      .map(([key, count]) => [key.slice(prefix.length), count]),
  );
}

function timingOf(
  { sampled, trained, ended }: {
    sampled: Values;
    trained: Values;
    ended: Values;
  },
  { batchSize, groupSize }: SlimeMetricsShape,
): SlimeRlMetrics["timing"] {
  const episodes = batchSize * groupSize;
  const rollout = sampled["perf/rollout_time"];
  const update = ended["perf/train_time"];
  const total = ended["perf/step_time"] ??
    (rollout === undefined || update === undefined
      ? undefined
      : rollout + update);
  const seconds: Record<string, number | undefined> = {
    rollout,
    update,
    save: ended["perf/save_model_time"],
    total,
  };
  return {
    seconds: known(seconds) as Record<string, number>,
    ...known({
      sampledTokensPerS: pace(sampled["rollout/response_len/mean"], {
        episodes,
        seconds: rollout,
      }),
      trainedTokensPerS: pace(trained["rollout/total_lengths"], {
        episodes,
        seconds: ended["perf/actor_train_time"],
      }),
    }),
  };
}

function pace(
  tokens: number | undefined,
  { episodes, seconds }: { episodes: number; seconds: number | undefined },
): number | undefined {
  if (tokens === undefined || !seconds) return undefined;
  return tokens * episodes / seconds;
}

/**
 * Returns the names of an evaluation's datasets. For example, the key `eval/retail-dev` names the dataset `retail-dev`.
 * Longer keys that begin with `eval/retail-dev/` are metrics of that dataset.
 */
function evalNames(values: Values): string[] {
  return Object.keys(values).flatMap((key) => {
    const name = /^eval\/([^/@]+)$/.exec(key)?.[1];
    return name === undefined || name.endsWith("-truncated_ratio")
      ? []
      : [name];
  });
}

function evalLine(
  { name, step, values, failures }: {
    name: string;
    step: number;
    values: Values;
    failures: number;
  },
  { evalSamples, evalDecoding, evalTasks }: SlimeMetricsShape,
): SlimeEvalMetrics | undefined {
  const split = splitOf(name);
  const pass1 = values[`eval/${name}`];
  if (split === undefined || pass1 === undefined) return undefined;
  const own = Object.fromEntries(
    Object.entries(values).filter(([key]) =>
      key === `eval/${name}` || key.startsWith(`eval/${name}/`) ||
      key.startsWith(`eval/${name}-`)
    ),
  );
  const asked = evalTasks[split];
  const tasks = asked === undefined ? undefined : asked - failures;
  return {
    schemaVersion: METRICS_VERSION,
    step,
    phase: "eval",
    split,
    decoding: evalDecoding,
    trials: evalSamples,
    pass1,
    passK: [pass1],
    ...known({
      tasks,
      episodes: tasks === undefined ? undefined : tasks * evalSamples,
    }),
    failures: failures === 0 ? {} : { left_out: failures * evalSamples },
    lengths: known({
      sampledTokens: values[`eval/${name}/response_len/mean`],
    }),
    slime: numbers(own),
    timing: { seconds: {} },
  };
}

/** Returns the split at the end of a dataset's name, such as `dev` for `retail-dev`; `undefined` if there is none. */
function splitOf(name: string): "dev" | "test" | undefined {
  const split = /(?:^|[-_])(dev|test)$/.exec(name)?.[1];
  return split as "dev" | "test" | undefined;
}

function meanOf(all: readonly Values[]): Values {
  const keys = new Set(all.flatMap((one) => Object.keys(one)));
  return Object.fromEntries(
    [...keys].map((key) => {
      const values = all.flatMap((one) => key in one ? [one[key]!] : []);
      return [key, sum(values) / values.length];
    }),
  );
}

function numbers(values: Values): SlimeNumbers {
  return Object.fromEntries(
    Object.entries(values).map((
      [key, value],
    ) => [key, Number.isFinite(value) ? value : null]),
  );
}

/** Returns the values that are finite numbers. */
function known<T extends Record<string, number | undefined>>(
  values: T,
): { [K in keyof T]?: number } {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => Number.isFinite(value)),
  ) as { [K in keyof T]?: number };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
