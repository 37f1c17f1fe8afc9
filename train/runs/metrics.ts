/**
 * The lines of `metrics.jsonl`: every number that tells a person whether RL is healthy.
 *
 * What depends on the clock is under `timing` and nowhere else, so that two runs of one config are equal
 * but for it; only a control that is given RL's seconds has as many steps as the clock said.
 */

/** The version of the line format; a newer one is refused. */
export const METRICS_VERSION = 2;

/** What a line is about. */
export type Phase =
  | "cold_start"
  | "rft"
  | "rl"
  | "eval"
  | "control"
  | "control_eval";

/**
 * A line of `metrics.jsonl`. `step` counts from 1, cold start, rejection fine-tuning and RL together; a control is no
 * part of the policy, so its lines have the run's last step.
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

/** What depends on the clock. */
export interface Timing {
  /** Seconds by phase of the step: `rollout`, `update`, `save`, `total`. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Sampled tokens a second of the rollout. */
  readonly sampledTokensPerS?: number;
  /** Tokens of the update, context included, a second. */
  readonly trainedTokensPerS?: number;
}

/** What a supervised step on demonstrations measured. */
export interface SupervisedNumbers {
  /** Mean cross-entropy of a trained token, nats. */
  readonly loss: number;
  readonly gradNorm: number;
  readonly learningRate: number;
  readonly tokens: number;
  readonly lossTokens: number;
}

/** A step of the cold start. */
export interface ColdStartMetrics extends Common, SupervisedNumbers {
  readonly phase: "cold_start";
}

/** What was sampled in a step. */
interface SampledNumbers {
  /** Mean reward of all episodes that were scored, refilled groups included. */
  readonly reward: number;
  readonly episodes: number;
  /** Episodes whose infrastructure failed, by kind; nothing is learnt from them. */
  readonly failures: Readonly<Record<string, number>>;
  /** Scored episodes by why they ended. */
  readonly stopReasons: Readonly<Record<string, number>>;
  readonly lengths: Lengths;
  readonly parseErrors: number;
}

/** A step of rejection fine-tuning, see ../rft.ts; loss and norm are means over its updates, tokens their sum. */
export interface RftMetrics extends Common, SupervisedNumbers, SampledNumbers {
  readonly phase: "rft";
  /** Tasks solved so far: a conversation of each is learnt from. */
  readonly solved: number;
}

/** What a control is given as much of as RL took. */
export type ControlBudget = "seconds" | "tokens";

/** A step of a control: see ../control.ts. */
export interface ControlMetrics extends Common, SupervisedNumbers {
  readonly phase: "control";
  readonly budget: ControlBudget;
  /** From 1 to `controlSteps`. */
  readonly controlStep: number;
  readonly controlSteps: number;
}

/** An RL step. */
export interface RlMetrics extends Common, SampledNumbers {
  readonly phase: "rl";
  /** Mean over groups of the variance of their rewards. */
  readonly groupVariance: number;
  /** Share of the groups sampled whose rewards all agree. */
  readonly zeroVarianceShare: number;
  /** Groups sampled, of these refilled ones, and groups that trained. */
  readonly groups: number;
  readonly refilledGroups: number;
  readonly trainedGroups: number;
  readonly entropy: number;
  /** k3 estimate against the policy that sampled; slime's is k1. */
  readonly klOld: number;
  /** k3 estimate against the end of the cold start; 0 where `klCoef` is 0. slime's is of the recipe's kind. */
  readonly klReference: number;
  readonly clipShare: number;
  readonly gradNorm: number;
  readonly loss: number;
  readonly learningRate: number;
}

/** Means over episodes. */
export interface Lengths {
  readonly turns: number;
  /** Tokens of the conversation, those of the policy and all others. */
  readonly tokens: number;
  readonly sampledTokens: number;
}

/** An evaluation after a step. Does not change the policy. */
export interface EvalMetrics extends Common {
  readonly phase: "eval";
  readonly split: "dev" | "test";
  readonly decoding: "sampled" | "greedy";
  readonly tasks: number;
  readonly trials: number;
  /** `passK[k - 1]` is pass^k, up to `trials`. */
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

/** An evaluation of a control after its last step, on the tasks and seeds of RL's. */
export interface ControlEvalMetrics extends Omit<EvalMetrics, "phase"> {
  readonly phase: "control_eval";
  readonly budget: ControlBudget;
}

/**
 * A rollout of slime and the optimizer steps on it, as one line. `step` counts rollouts from 1. What slime did not
 * log is not there: nothing is filled in.
 */
export interface SlimeRlMetrics
  extends Common, Partial<Omit<RlMetrics, keyof Common | "lengths">> {
  readonly phase: "rl";
  readonly lengths: Partial<Lengths>;
  /** Steps of the optimizer on this rollout; what they log is averaged over them. */
  readonly optimizerSteps: number;
  /** All that slime logged of the rollout, by its own names; `null` is a number that is not finite. */
  readonly slime: SlimeNumbers;
}

/** An evaluation by slime, of one split. */
export interface SlimeEvalMetrics extends
  Common,
  Partial<
    Omit<EvalMetrics, keyof Common | "split" | "decoding" | "lengths">
  > {
  readonly phase: "eval";
  readonly split: EvalMetrics["split"];
  readonly decoding: EvalMetrics["decoding"];
  /** The mean reward of all episodes: pass^1 where rewards are 0 or 1. */
  readonly pass1: number;
  readonly lengths: Partial<Lengths>;
  readonly slime: SlimeNumbers;
}

/** Numbers by slime's names; `null` is one that is not finite. */
export type SlimeNumbers = Readonly<Record<string, number | null>>;

/** A line of any trainer's run. Those of the CPU trainer have every field. */
export type AnyMetrics = Metrics | SlimeRlMetrics | SlimeEvalMetrics;

/** A line as this version has it: version 1 called the phase `rl` by its first estimator, `grpo`. */
export function currentLine<T extends { schemaVersion: number }>(line: T): T {
  if (line.schemaVersion >= METRICS_VERSION) return line;
  const isRl = "phase" in line && line.phase === "grpo";
  return {
    ...line,
    schemaVersion: METRICS_VERSION,
    ...(isRl ? { phase: "rl" } : {}),
  };
}

/** What is evaluated: the policy, or a control. */
export type Evaluated =
  | Pick<EvalMetrics, "phase">
  | Pick<ControlEvalMetrics, "phase" | "budget">;

/** Names the episodes of a line in `episodes.db`: `rft`, `rl`, `eval/test/greedy`, `control_eval/seconds/test/greedy`. */
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
