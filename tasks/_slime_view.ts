/** Formats a slime run for a terminal: a live line while it runs, and its result. */

import { curvePoints, curveText } from "../train/runs/run_figure.ts";
import type { AnyMetrics } from "../train/runs/metrics.ts";
import { failureText } from "../train/slime/launch/job_failure.ts";
import type { LaunchResult } from "../train/slime/launch/launch.ts";
import type { RayJob } from "../train/slime/launch/ray_jobs.ts";
import type { StopResult } from "../train/slime/launch/stop.ts";
import type { SlimeRun } from "../train/slime/launch/slime_run.ts";
import type { Terminal } from "./_terminal.ts";
import { count, duration } from "../train/progress/amounts.ts";

/** The number of recent rollouts from which the remaining time is estimated. */
const RECENT = 8;

/** The live line that shows the progress of a job. */
export class SlimeLiveLine {
  readonly #terminal: Terminal;
  readonly #run: SlimeRun;
  #state = "";
  #lastWords = "";

  constructor(terminal: Terminal, run: SlimeRun) {
    this.#terminal = terminal;
    this.#run = run;
  }

  /** Shows the new state of the job. */
  state({ state, message }: RayJob): void {
    this.#state = state.toLowerCase();
    if (state === "PENDING") this.#lastWords = message;
    this.#show();
  }

  /** Shows the latest line of the job's log, until there are metrics. */
  log(lines: readonly string[]): void {
    this.#lastWords = lines.findLast((line) => line.trim() !== "") ??
      this.#lastWords;
    this.#show();
  }

  /**
   * Updates the live line after the run has received a line of metrics. Prints the result of an evaluation as a
   * separate line.
   */
  add(line: AnyMetrics): void {
    if (line.phase === "eval") {
      this.#terminal.note(
        `after ${rollouts(line.step)}: pass^1 ${
          line.pass1.toFixed(3)
        } on ${line.split}, ${line.decoding}`,
      );
    }
    this.#show();
  }

  #show(): void {
    const { rollout } = this.#run.config;
    const rl = this.#run.metrics.filter((line) => line.phase === "rl");
    const last = rl.at(-1);
    const parts = last === undefined
      ? [`job ${this.#state}`, this.#lastWords]
      : [
        `rollout ${last.step}/${rollout.steps}`,
        ...last.reward === undefined
          ? []
          : [`reward ${last.reward.toFixed(2)}`],
        ...rates(last.timing),
        ...left(rl, rollout.steps - last.step),
      ];
    this.#terminal.progress(parts.join(" · "));
  }
}

function rates(
  { sampledTokensPerS, trainedTokensPerS }: AnyMetrics["timing"],
): string[] {
  return [
    ...sampledTokensPerS === undefined
      ? []
      : [`${count(sampledTokensPerS)} sampled tok/s`],
    ...trainedTokensPerS === undefined
      ? []
      : [`${count(trainedTokensPerS)} trained tok/s`],
  ];
}

/**
 * Estimates the remaining time from recent rollouts only, because the first rollouts are slower: they include the
 * warm-up of the engines. Returns an empty list if there are no timings.
 */
function left(lines: readonly AnyMetrics[], rollouts: number): string[] {
  const seconds = lines.slice(-RECENT)
    .flatMap(({ timing }) => timing.seconds["total"] ?? []);
  if (seconds.length === 0) return [];
  const mean = seconds.reduce((a, b) => a + b) / seconds.length;
  return [`${duration(mean * rollouts)} left`];
}

/**
 * Returns, as text, a run's learning curve, the reason why the task stopped following the run, and the commands to
 * continue with.
 */
export function launchText(result: LaunchResult, run: SlimeRun): string {
  const curve = curveText(curvePoints(run.metrics), {
    series: "train reward",
    width: 64,
    height: 8,
  });
  return [curve, closing(result, run)].filter((part) => part !== "")
    .join("\n\n");
}

function closing(
  { outcome, job, failure }: LaunchResult,
  run: SlimeRun,
): string {
  const { path } = run;
  const steps = Math.max(0, ...run.metrics.map(({ step }) => step));
  switch (outcome) {
    case "detached":
      return `Detached after ${rollouts(steps)}; the job keeps running.\n` +
        `  follow it: deno task train --attach ${path}\n` +
        `  stop it:   deno task train --stop ${path}`;
    case "completed":
      return `${path}: ${
        rollouts(steps)
      }; learning curve in curve.svg, checkpoints in ${
        run.launch!.checkpoints
      }`;
    case "stopped":
      return `The job was stopped after ${
        rollouts(steps)
      }. Resume from its last checkpoint with: deno task train --resume ${path}`;
    case "failed":
      return `The job failed after ${rollouts(steps)} (exit status ${
        job?.exitCode ?? "unknown"
      })${failure === null ? "." : `:\n${indent(failureText(failure))}`}\n` +
        `Its log is in ${run.logs}. Resume from its last checkpoint with: deno task train --resume ${path}`;
  }
}

/**
 * Returns a description of everything that was stopped, and the command that resumes the run. If the job had already
 * ended, the text says so instead.
 */
export function stopText(
  path: string,
  { submissionId, state, stopped, services, rayHosts }: StopResult,
): string {
  const did = [
    ...stopped ? [`the job "${submissionId}" (${state})`] : [],
    ...services > 0
      ? [`${services} episode server${services === 1 ? "" : "s"}`]
      : [],
    ...rayHosts.length > 0 ? [`Ray on ${rayHosts.join(", ")}`] : [],
  ];
  return did.length === 0
    ? `${path}: nothing to stop, because the job has already ended`
    : `${path}: stopped ${
      did.join(", ")
    }. Resume from its last checkpoint with: deno task train --resume ${path}`;
}

function rollouts(n: number): string {
  return `${n} rollout${n === 1 ? "" : "s"}`;
}

function indent(text: string): string {
  return text.split("\n").map((line) => `  ${line}`).join("\n");
}
