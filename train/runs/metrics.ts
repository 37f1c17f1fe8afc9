/**
 * The lines of `metrics.jsonl`: the numbers that show whether RL is healthy. Everything that depends on the clock is
 * under `timing`, so two runs with the same config differ only there. The only exception is a control that trains for
 * as many seconds as RL, because its number of steps also depends on the clock.
 */

/** The version of the line format; newer lines are rejected. */
export const METRICS_VERSION = 2;

/** The phase that a line reports. */
export type Phase =
  | "cold_start"
  | "rft"
  | "rl"
  | "eval"
  | "control"
  | "control_eval";

/**
 * A line of `metrics.jsonl`. `step` counts from 1 and continues through the cold start, rejection fine-tuning and RL.
 * The lines of a control have the run's last step, because a control does not change the policy.
 */
export type Metrics =
  | ColdStartMetrics
  | RftMetrics
  | RlMetrics
  | EvalMetrics
  | ControlMetrics
  | ControlEvalMetrics;

interface Common {
  readonly schemaVersion: typeof METRICS_VERSION;
  readonly step: number;
  readonly phase: Phase;
  readonly timing: Timing;
}

/** The measurements that depend on the clock. */
export interface Timing {
  /** The duration of each phase of the step in seconds: `rollout`, `update`, `save`, `total`. */
  readonly seconds: Readonly<Record<string, number>>;
  /** The number of tokens sampled per second of the rollout. */
  readonly sampledTokensPerS?: number;
  /** The number of tokens processed per second of the update, including context. */
  readonly trainedTokensPerS?: number;
}

/** The measurements of a supervised step. */
export interface SupervisedNumbers {
  /** The mean cross-entropy per trained token, in nats. */
  readonly loss: number;
  readonly gradNorm: number;
  readonly learningRate: number;
  readonly tokens: number;
  readonly lossTokens: number;
}

/** The metrics of a cold-start step. */
export interface ColdStartMetrics extends Common, SupervisedNumbers {
  readonly phase: "cold_start";
}

/** The measurements of the episodes sampled in a step. */
interface SampledNumbers {
  /** The mean reward of all scored episodes, including refilled groups. */
  readonly reward: number;
  readonly episodes: number;
  /**
   * The number of episodes that failed because of infrastructure, keyed by kind of failure. They are not trained on.
   */
  readonly failures: Readonly<Record<string, number>>;
  /** The number of scored episodes, keyed by stop reason. */
  readonly stopReasons: Readonly<Record<string, number>>;
  readonly lengths: Lengths;
  readonly parseErrors: number;
}

/**
 * The metrics of a step of rejection fine-tuning (../rft.ts). The loss and the gradient norm are means over the updates
 * of the step; the token counts are sums.
 */
export interface RftMetrics extends Common, SupervisedNumbers, SampledNumbers {
  readonly phase: "rft";
  /** The number of tasks solved so far. The updates draw their batches from one conversation per solved task. */
  readonly solved: number;
}

/** The resource that limits a control: it may use as many seconds or tokens as RL did. */
export type ControlBudget = "seconds" | "tokens";

/** The metrics of a step of a control (../control.ts). */
export interface ControlMetrics extends Common, SupervisedNumbers {
  readonly phase: "control";
  readonly budget: ControlBudget;
  /** The step of the control, from 1 to `controlSteps`. */
  readonly controlStep: number;
  readonly controlSteps: number;
}

/** The metrics of an RL step. */
export interface RlMetrics extends Common, SampledNumbers {
  readonly phase: "rl";
  /** The variance of the rewards within a group, averaged over all groups. */
  readonly groupVariance: number;
  /** The share of the sampled groups whose rewards are all equal. */
  readonly zeroVarianceShare: number;
  /** The number of sampled groups. */
  readonly groups: number;
  /** The number of sampled groups that were refills. */
  readonly refilledGroups: number;
  /** The number of groups that were trained on. */
  readonly trainedGroups: number;
  readonly entropy: number;
  /** The KL divergence from the policy that sampled: the k3 estimate, or, for slime, the k1 estimate. */
  readonly klOld: number;
  /**
   * The KL divergence from the policy before the first RL step: the k3 estimate, or, for slime, the recipe's estimator.
   * 0 if `klCoef` is 0.
   */
  readonly klReference: number;
  readonly clipShare: number;
  readonly gradNorm: number;
  readonly loss: number;
  readonly learningRate: number;
}

/** The mean lengths of episodes. */
export interface Lengths {
  readonly turns: number;
  /** The number of tokens in the conversation, whether or not the policy sampled them. */
  readonly tokens: number;
  readonly sampledTokens: number;
}

/** The metrics of an evaluation after a step. An evaluation does not change the policy. */
export interface EvalMetrics extends Common {
  readonly phase: "eval";
  readonly split: "dev" | "test";
  readonly decoding: "sampled" | "greedy";
  readonly tasks: number;
  readonly trials: number;
  /** `passK[k - 1]` is pass^k, for k up to `trials`. */
  readonly passK: readonly number[];
  /** `passK[0]`: the mean over tasks of the share of trials that succeed. */
  readonly pass1: number;
  readonly passByIntent: Readonly<Record<string, number>>;
  readonly episodes: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly stopReasons: Readonly<Record<string, number>>;
  readonly lengths: Lengths;
  readonly parseErrors: number;
}

/**
 * The metrics of the evaluation after a control's last step, on the same tasks and seeds as the evaluation after RL.
 */
export interface ControlEvalMetrics extends Omit<EvalMetrics, "phase"> {
  readonly phase: "control_eval";
  readonly budget: ControlBudget;
}

/**
 * The metrics of a slime rollout and its optimizer steps, as one line. `step` counts rollouts from 1. A number that
 * slime did not log is missing.
 */
export interface SlimeRlMetrics
  extends Common, Partial<Omit<RlMetrics, keyof Common | "lengths">> {
  readonly phase: "rl";
  readonly lengths: Partial<Lengths>;
  /**
   * The number of optimizer steps on this rollout. Numbers that slime logs per optimizer step are averaged over these
   * steps.
   */
  readonly optimizerSteps: number;
  /**
   * All numbers that slime logged about the rollout, keyed by slime's names; `null` for a number that is not finite.
   */
  readonly slime: SlimeNumbers;
}

/** The metrics of an evaluation by slime on one split. */
export interface SlimeEvalMetrics extends
  Common,
  Partial<
    Omit<EvalMetrics, keyof Common | "split" | "decoding" | "lengths">
  > {
  readonly phase: "eval";
  readonly split: EvalMetrics["split"];
  readonly decoding: EvalMetrics["decoding"];
  /** The mean reward of all episodes, which is pass^1 if rewards are 0 or 1. */
  readonly pass1: number;
  readonly lengths: Partial<Lengths>;
  readonly slime: SlimeNumbers;
}

/** Numbers keyed by slime's names for them; `null` for a number that is not finite. */
export type SlimeNumbers = Readonly<Record<string, number | null>>;

/** A line from any trainer. */
export type AnyMetrics = Metrics | SlimeRlMetrics | SlimeEvalMetrics;

/** Converts a line to the current version: version 1 named the RL phase after its first estimator, `grpo`. */
export function currentLine<T extends { schemaVersion: number }>(line: T): T {
  if (line.schemaVersion >= METRICS_VERSION) return line;
  const isRl = "phase" in line && line.phase === "grpo";
  return {
    ...line,
    schemaVersion: METRICS_VERSION,
    ...(isRl ? { phase: "rl" } : {}),
  };
}

/** The subject of an evaluation: the policy, or a control. */
export type Evaluated =
  | Pick<EvalMetrics, "phase">
  | Pick<ControlEvalMetrics, "phase" | "budget">;

/**
 * Returns the source of a line's episodes in `episodes.db`: `rft`, `rl`, `eval/test/greedy`,
 * `control_eval/seconds/test/greedy`.
 */
export function metricsSource(
  line:
    | { readonly phase: "cold_start" | "rft" | "rl" | "control" }
    | Evaluated & Pick<EvalMetrics, "split" | "decoding">,
): string {
  if (line.phase !== "eval" && line.phase !== "control_eval") return line.phase;
  const of = line.phase === "eval"
    ? line.phase
    : `${line.phase}/${line.budget}`;
  return `${of}/${line.split}/${line.decoding}`;
}
