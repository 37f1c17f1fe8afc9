/** Formats a training run for a terminal: a live line while it runs, and tables and a curve at its end. */

import type { Usage } from "../env/types.ts";
import type { Config } from "../train/config/config.ts";
import { CONTROL_BUDGETS, controlName } from "../train/runs/control_budget.ts";
import { curvePoints, curveText } from "../train/runs/run_figure.ts";
import type { OpenTraining } from "../train/open_training.ts";
import { phaseEnds } from "../train/phases.ts";
import type { TrainingDir } from "../train/runs/training_dir.ts";
import type { Activity } from "../train/loop.ts";
import type { Metrics, RlMetrics } from "../train/runs/metrics.ts";
import { idleSteps, neverLearned } from "../train/runs/learning_signal.ts";
import type { SessionResult } from "../train/session.ts";
import {
  coldStartSecondsLeft,
  secondsLeft,
} from "../train/progress/time_left.ts";
import type { Terminal } from "./_terminal.ts";
import {
  bytes,
  count,
  dollars,
  duration,
  percent,
} from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";

/** The number of consecutive steps without a learning signal before the first warning. */
const FIRST_WARNING = 5;
/** The number of consecutive steps without a learning signal between later warnings. */
const WARN_EVERY = 25;

/** The live line that shows the progress of a run. */
export class TrainingLine {
  readonly #terminal: Terminal;
  readonly #config: Config;
  readonly #lines: Metrics[];

  /** @param options.lines The metrics that a resumed run already has. */
  constructor(
    terminal: Terminal,
    options: { config: Config; lines: readonly Metrics[] },
  ) {
    this.#terminal = terminal;
    this.#config = options.config;
    this.#lines = [...options.lines];
  }

  /** Adds a line of metrics, and warns if rejection fine-tuning or RL has no learning signal. */
  add(line: Metrics): void {
    this.#lines.push(line);
    if (line.phase !== "rft" && line.phase !== "rl") return;
    const { steps, phase } = idleSteps(this.#lines);
    if (steps !== FIRST_WARNING && (steps === 0 || steps % WARN_EVERY > 0)) {
      return;
    }
    this.#terminal.note(
      `warning: no learning signal in the last ${steps} steps of ${phase} (mean reward ${
        line.reward.toFixed(3)
      }): ${
        line.phase === "rft"
          ? "no conversation earned the reward"
          : "all rewards within each group are equal"
      }`,
    );
  }

  /** Shows the current activity on the live line. */
  show(activity: Activity): void {
    const parts = [
      this.#where(activity),
      ...this.#rates(activity),
      ...(activity.of > 0 ? [`${activity.done}/${activity.of} episodes`] : []),
      ...this.#left(activity),
    ];
    this.#terminal.progress(parts.join(" · "));
  }

  #where({ phase, step, doing }: Activity): string {
    const { coldStart, rft, rl } = this.#config;
    const ends = phaseEnds(this.#config);
    const done = step - ends.coldStart;
    if (phase === "cold_start") return `cold start ${step}/${coldStart.steps}`;
    if (phase === "rft") return `rejection fine-tuning ${done}/${rft.steps}`;
    if (phase === "rl") return `RL ${step - ends.rft}/${rl.steps}`;
    if (phase === "control") return `control (RL's ${doing}), step ${done}`;
    const of = phase === "control_eval" ? "the control on " : "";
    return `evaluating ${of}${doing}`;
  }

  /**
   * Returns the remaining time of the run or, if that is unknown, of the cold start. Returns an empty list if both are
   * unknown.
   */
  #left({ phase }: Activity): string[] {
    const whole = secondsLeft(this.#lines, this.#config);
    if (whole !== undefined) return [`${duration(whole)} left`];
    if (phase !== "cold_start") return [];
    const part = coldStartSecondsLeft(this.#lines, this.#config);
    return part === undefined
      ? []
      : [`${duration(part)} left in the cold start`];
  }

  #rates({ phase }: Activity): string[] {
    const last = this.#lines.findLast((line) => line.phase === phase);
    if (last === undefined) return [];
    const { sampledTokensPerS: sampled, trainedTokensPerS: trained } =
      last.timing;
    return [
      ...(last.phase === "cold_start" || last.phase === "control"
        ? [`loss ${last.loss.toFixed(3)}`]
        : []),
      ...(last.phase === "rft" ? [`${count(last.solved)} tasks solved`] : []),
      ...("reward" in last ? [`reward ${last.reward.toFixed(2)}`] : []),
      ...(sampled ? [`${count(sampled)} sampled tok/s`] : []),
      ...(trained ? [`${count(trained)} trained tok/s`] : []),
    ];
  }
}

/** Returns the result of a run as text: tables and, if there are enough points, a curve. */
export function resultText(
  result: SessionResult,
  lines: readonly Metrics[],
): string {
  const curve = curveText(curvePoints(lines), {
    series: "train reward",
    width: 64,
    height: 8,
  });
  return [passesText(result), controlText(result), healthText(lines), curve]
    .filter((part) => part !== "").join("\n\n");
}

/** Returns a table of pass^1 for the cold start, the trained controls and RL. */
function passesText({ coldStart, control, final }: SessionResult): string {
  const controls = CONTROL_BUDGETS.flatMap((budget) => {
    const one = control?.[budget] ?? null;
    return one === null || one.seconds === null
      ? []
      : [{ name: controlName(budget), ...one }];
  });
  const cell = (value: number | null) =>
    value === null ? "–" : value.toFixed(3);
  const gain = (from: number | null, to: number | null) => {
    if (from === null || to === null) return "–";
    return `${to < from ? "" : "+"}${(to - from).toFixed(3)}`;
  };
  return table([
    [
      "pass^1 on test",
      "cold start",
      ...controls.map(({ name }) => name),
      "RL",
      "gain",
      ...controls.map(({ name }) => `over ${name}`),
    ],
    ...(["sampled", "greedy"] as const).map((key) => [
      key,
      cell(coldStart[key]),
      ...controls.map((control) => cell(control[key])),
      cell(final[key]),
      gain(coldStart[key], final[key]),
      ...controls.map((control) => gain(control[key], final[key])),
    ]),
  ]);
}

/**
 * Describes how many supervised steps take as many seconds as RL, and how many take as many tokens. Returns an empty
 * string if the run has no controls.
 */
function controlText({ control, rlSeconds }: SessionResult): string {
  if (control === null) return "";
  const given = CONTROL_BUDGETS.map((budget) => {
    const { steps, seconds } = control[budget];
    const took = seconds === null
      ? "not trained"
      : `trained in ${duration(seconds)}`;
    return `${count(steps)} for the same number of ${budget} (${took})`;
  });
  return `RL's steps took ${duration(rlSeconds)}. ` +
    `Equivalent supervised steps: ${given.join(", ")}`;
}

/** Returns a table of metrics from the first and the last RL step; an empty string if there was no RL step. */
function healthText(lines: readonly Metrics[]): string {
  const rl = lines.filter((line) => line.phase === "rl");
  const [first, last] = [rl[0], rl.at(-1)];
  if (!first || !last) return "";
  const rows: [string, (line: RlMetrics) => string][] = [
    ["reward", (line) => line.reward.toFixed(3)],
    ["groups with equal rewards", (line) => percent(line.zeroVarianceShare)],
    ["entropy", (line) => line.entropy.toFixed(3)],
    ["KL to the sampler", (line) => line.klOld.toFixed(5)],
    ["gradient norm", (line) => line.gradNorm.toFixed(3)],
    ["tokens per episode", (line) => count(line.lengths.tokens)],
    ["sampled tokens/s", (line) => count(line.timing.sampledTokensPerS ?? 0)],
    [
      "seconds per step",
      (line) => (line.timing.seconds["total"] ?? 0).toFixed(1),
    ],
  ];
  return table([
    ["RL", "first step", "last step"],
    ...rows.map(([name, show]) => [name, show(first), show(last)]),
  ]);
}

/** Describes the usage of the user's model. Returns an empty string if there were no calls. */
export function usageText(
  { calls, retries, promptTokens, completionTokens, cost }: Usage,
): string {
  if (calls === 0) return "";
  const tokens = `${count(promptTokens)} prompt and ${
    count(completionTokens)
  } answer tokens`;
  const price = cost === null ? "cost unknown" : dollars(cost);
  return `The user's model: ${count(calls)} calls, ${
    count(retries)
  } retries, ${tokens}, ${price}`;
}

/** Returns the path and the totals of a completed run, or the command that resumes a stopped one. */
export function closingText(
  result: SessionResult,
  { path, metrics }: Pick<TrainingDir, "path" | "metrics">,
): string {
  const cost = `${duration(result.wallS)}, ${
    bytes(result.peakRssBytes)
  } of memory at most`;
  const failures = result.failures > 0
    ? `; ${count(result.failures)} ${
      result.failures === 1 ? "episode" : "episodes"
    } failed because of the infrastructure`
    : "";
  if (result.outcome === "completed") {
    const ended = `${path}: ${
      count(result.episodes)
    } conversations, ${cost}${failures}; learning curve in curve.svg`;
    return neverLearned(metrics)
      ? `${ended}\n${neverLearnedText(path)}`
      : ended;
  }
  return `Stopped after step ${result.steps}; the run is saved. Resume with: ` +
    `deno task train --resume ${path}`;
}

function neverLearnedText(path: string): string {
  return "error: RL had no learning signal: in every step all rewards within each group were equal, and no conversation " +
    `earned the reward\nhint: run "deno task diagnose ${path}" to see why; then lengthen the cold start ` +
    "(coldStart.steps, coldStart.demonstrations) or choose an easier world";
}

/** Describes a run that is about to start: its data, seed and steps. */
export function runText(
  { run, dataset }: Pick<OpenTraining, "run" | "dataset">,
): string {
  const { seed, data, threads, coldStart, rft, rl } = run.config;
  const tasks = dataset.splits.map((split) =>
    `${dataset.tasks(split).length} ${split}`
  );
  return `${data.source} ${data.domain} (${
    tasks.join(", ")
  } tasks), seed ${seed}, ${threads} threads, ` +
    [
      `${coldStart.steps} steps of cold start`,
      ...(rft.steps > 0 ? [`${rft.steps} of rejection fine-tuning`] : []),
      `${rl.steps} of RL`,
    ].join(", ");
}

/** Returns the result of a run as an object for `--json`. */
export function resultJson(
  run: TrainingDir,
  result: SessionResult,
): Record<string, unknown> {
  return {
    pass1_cold_start: result.coldStart.sampled,
    pass1_final: result.final.sampled,
    pass1_cold_start_greedy: result.coldStart.greedy,
    pass1_final_greedy: result.final.greedy,
    pass1_dev: result.dev,
    ...controlJson(result),
    wall_s: result.wallS,
    peak_rss_bytes: result.peakRssBytes,
    seed: run.config.seed,
    run_dir: run.path,
    outcome: result.outcome,
    learnt: !neverLearned(run.metrics),
    data: run.config.data.source,
    steps: result.steps,
    episodes: result.episodes,
    failures: result.failures,
    customer_usage: run.userUsage(),
  };
}

/**
 * Returns the figures of the controls as an object for `--json`. The value of a control that was not trained is `null`.
 */
function controlJson({ control, rlSeconds }: SessionResult) {
  return {
    pass1_control: control?.seconds.sampled ?? null,
    pass1_control_greedy: control?.seconds.greedy ?? null,
    pass1_control_tokens: control?.tokens.sampled ?? null,
    pass1_control_tokens_greedy: control?.tokens.greedy ?? null,
    control_wall_s: control?.seconds.seconds ?? null,
    control_tokens_wall_s: control?.tokens.seconds ?? null,
    control_steps: control?.seconds.steps ?? null,
    control_tokens_steps: control?.tokens.steps ?? null,
    rl_wall_s: rlSeconds,
  };
}
