/** What `deno task train` shows of a run that slime trains: one live line, and how it ended. */

import { curvePoints, curveText } from "../train/runs/run_figure.ts";
import type { AnyMetrics } from "../train/runs/metrics.ts";
import { failureText } from "../train/slime/launch/job_failure.ts";
import type { LaunchResult } from "../train/slime/launch/launch.ts";
import type { RayJob } from "../train/slime/launch/ray_jobs.ts";
import type { StopResult } from "../train/slime/launch/stop.ts";
import type { SlimeRun } from "../train/slime/launch/slime_run.ts";
import type { Terminal } from "./_terminal.ts";
import { count, duration } from "../train/progress/amounts.ts";

/** Rollouts of late, for the time that is left. */
const RECENT = 8;

/** The live line of a job. */
export class SlimeLiveLine {
  readonly #terminal: Terminal;
  readonly #run: SlimeRun;
  #state = "";
  #lastWords = "";

  constructor(terminal: Terminal, run: SlimeRun) {
    this.#terminal = terminal;
    this.#run = run;
  }

  /** Takes a state of the job in. */
  state({ state, message }: RayJob): void {
    this.#state = state.toLowerCase();
    if (state === "PENDING") this.#lastWords = message;
    this.#show();
  }

  /** Takes what the job prints in: until there are metrics, it is all there is to see. */
  log(lines: readonly string[]): void {
    this.#lastWords = lines.findLast((line) => line.trim() !== "") ??
      this.#lastWords;
    this.#show();
  }

  /** Shows a line of metrics. */
  add(line: AnyMetrics): void {
    if (line.phase === "eval") {
      this.#terminal.note(
        `after ${line.step} rollouts: pass^1 ${
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

/** By the rollouts of late: those at the start also wait for engines to warm up. */
function left(lines: readonly AnyMetrics[], rollouts: number): string[] {
  const seconds = lines.slice(-RECENT)
    .flatMap(({ timing }) => timing.seconds["total"] ?? []);
  if (seconds.length === 0) return [];
  const mean = seconds.reduce((a, b) => a + b) / seconds.length;
  return [`${duration(mean * rollouts)} left`];
}

/** How following ended, and how to go on. */
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
    case "left":
      return `The job goes on without us, after ${steps} rollouts so far.\n` +
        `  follow it: deno task train --attach ${path}\n` +
        `  stop it:   deno task train --stop ${path}`;
    case "completed":
      return `${path}: ${steps} rollouts; curve.svg is its picture, checkpoints are in ${
        run.launch!.checkpoints
      }`;
    case "stopped":
      return `The job was stopped after ${steps} rollouts. Go on from its last checkpoint with: deno task train --resume ${path}`;
    case "failed":
      return `The job failed after ${steps} rollouts (exit code ${
        job?.exitCode ?? "unknown"
      }):\n${failure === null ? "" : indent(failureText(failure))}\n` +
        `Its log is in ${run.logs}. Go on from its last checkpoint with: deno task train --resume ${path}`;
  }
}

/** What a stop has ended, and how to go on. */
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
    ? `${path}: nothing of it runs any more`
    : `${path}: stopped ${
      did.join(", ")
    }. Go on from its last checkpoint with: deno task train --resume ${path}`;
}

function indent(text: string): string {
  return text.split("\n").map((line) => `  ${line}`).join("\n");
}
