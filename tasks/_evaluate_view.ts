/** Formats an evaluation for a terminal: a live line while it runs, and tables at its end. */

import type { Episode, Usage } from "../env/types.ts";
import type { Estimate } from "../train/evaluation/interval.ts";
import type { EvaluationDir } from "../train/evaluation/evaluation_dir.ts";
import type { EvaluationReport } from "../train/evaluation/evaluation_report.ts";
import type { EvaluationSession } from "../train/evaluation/evaluation_session.ts";
import type { ShardProgress } from "../train/evaluation/shard_order.ts";
import type { Counter } from "../train/progress/live_line.ts";
import type { Terminal } from "./_terminal.ts";
import {
  count,
  dollars,
  duration,
  percent,
} from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";

/** Describes an evaluation that is about to run. */
export function sessionText(
  { dir: { path, config }, candidate, user, left }: EvaluationSession,
): string {
  const { source, domain } = config.data;
  return `${path}: ${candidate.description}, ${user.label} user, ` +
    `${source} ${domain} ${config.split}, ${count(left)} episodes`;
}

/** The live line that shows the progress of an evaluation. */
export class EvaluationLine {
  readonly #line: Counter;
  #scored = 0;
  #reward = 0;
  #failed = 0;
  #cost: number | null = 0;

  /** @param of The number of episodes to run. */
  constructor(terminal: Terminal, of: number) {
    this.#line = terminal.counting(of, "episodes");
  }

  /** Adds an episode that has been scored or has failed, and updates the line. */
  add({ reward, usage }: Episode): void {
    this.addAll({
      episodes: 1,
      scored: reward === null ? 0 : 1,
      reward: reward?.value ?? 0,
      cost: costOf(usage),
    });
  }

  /** Adds the progress of another process that runs part of the evaluation, and updates the line. */
  addAll({ episodes, scored, reward, cost }: ShardProgress): void {
    this.#failed += episodes - scored;
    this.#scored += scored;
    this.#reward += reward;
    this.#cost = this.#cost === null || cost === null
      ? null
      : this.#cost + cost;
    for (let i = 0; i < episodes; i++) this.#show();
  }

  #show(): void {
    this.#line.step([
      ...(this.#scored > 0
        ? [`reward ${(this.#reward / this.#scored).toFixed(3)}`]
        : []),
      ...(this.#failed > 0 ? [`${this.#failed} failed`] : []),
      ...(this.#cost ? [dollars(this.#cost)] : []),
    ]);
  }
}

/** Returns the report as text, most of it in tables. */
export function reportText(report: EvaluationReport): string {
  return [
    passTable(report),
    intentTable(report),
    countTable("reason for reward 0", report.reasons, report.scored),
    faultTable(report),
    countTable("failed, not scored", report.failures, report.planned),
    usageTable(report),
    unsolvedText(report),
  ].filter((part) => part !== "").join("\n\n");
}

function passTable({ passK, baseline, tasks }: EvaluationReport): string {
  return table([
    ["", "score", "95% interval", "do-nothing baseline", "tasks"],
    ...passK.map((estimate, i) => [
      `pass^${i + 1}`,
      ...estimateCells(estimate),
      baseline.toFixed(3),
      count(tasks),
    ]),
  ]);
}

function intentTable({ byIntent }: EvaluationReport): string {
  if (byIntent.length < 2) return "";
  return table([
    ["intent", "reward", "95% interval", "do-nothing baseline", "tasks"],
    ...byIntent.map(({ intent, reward, baseline, tasks }) => [
      intent,
      ...estimateCells(reward),
      baseline.toFixed(3),
      count(tasks),
    ]),
  ]);
}

function faultTable({ userFaults }: EvaluationReport): string {
  const rows = Object.entries(userFaults.shares);
  if (rows.length === 0) return "";
  return table([
    ["fault of the user", "share of episodes"],
    ...rows.map(([fault, share]) => [fault, percent(share)]),
  ]);
}

function countTable(
  title: string,
  counts: Readonly<Record<string, number>>,
  of: number,
): string {
  const rows = Object.entries(counts).sort(([, a], [, b]) => b - a);
  if (rows.length === 0) return "";
  return table([
    [title, "episodes", "share"],
    ...rows.map(([name, n]) => [name, count(n), percent(n / of)]),
  ]);
}

function usageTable({ usage }: EvaluationReport): string {
  const rows = Object.entries(usage).filter(([, { calls }]) => calls > 0);
  if (rows.length === 0) return "";
  return table([
    [
      "model",
      "calls",
      "retries",
      "prompt tokens",
      "cached",
      "answer tokens",
      "cost",
    ],
    ...rows.map(([who, one]) => [
      `the ${who}`,
      count(one.calls),
      count(one.retries),
      count(one.promptTokens),
      count(one.cachedTokens),
      count(one.completionTokens),
      one.cost === null ? "unknown" : dollars(one.cost),
    ]),
  ]);
}

/**
 * Returns a list of the tasks that were never solved. Returns an empty string if there are none, or if there are more
 * than ten, in which case only `--json` lists them.
 */
function unsolvedText({ unsolved }: EvaluationReport): string {
  if (unsolved.length === 0 || unsolved.length > 10) return "";
  const lines = unsolved.map(({ id, reasons }) =>
    `  ${id}: ${[...new Set(reasons)].join(", ")}`
  );
  return `Never solved:\n${lines.join("\n")}`;
}

function estimateCells({ value, low, high }: Estimate): [string, string] {
  if (Number.isNaN(value)) return ["–", "–"];
  return [value.toFixed(3), `${low.toFixed(3)} to ${high.toFixed(3)}`];
}

function costOf({ agent, user }: { agent: Usage; user: Usage }): number | null {
  return agent.cost === null || user.cost === null
    ? null
    : agent.cost + user.cost;
}

/** Returns the path and the totals of a completed evaluation, or the command that resumes a stopped one. */
export function closingText(
  dir: EvaluationDir,
  { complete, report, exported }: {
    readonly complete: boolean;
    readonly report: EvaluationReport;
    /** The path of the exported result file, if one was written. */
    readonly exported?: string;
  },
): string {
  const scored = `${count(report.scored)} of ${count(report.planned)} episodes`;
  if (!complete) {
    return `Stopped after ${scored}; resume with: deno task evaluate --resume ${dir.path}`;
  }
  return `${dir.path}: ${scored} scored, ${
    report.meanTurns.toFixed(1)
  } turns and ${duration(report.meanSeconds)} per episode${
    exported === undefined ? "" : `; ${exported} is a tau-bench result file`
  }`;
}

/** Returns the report as an object for `--json`. */
export function reportJson(
  dir: EvaluationDir,
  { report, complete }: { report: EvaluationReport; complete: boolean },
): Record<string, unknown> {
  const { config } = dir;
  return {
    run_dir: dir.path,
    outcome: complete ? "completed" : "interrupted",
    env: config.data.domain,
    data: config.data.source,
    split: config.split,
    trials: config.trials,
    seed: config.seed,
    agent: config.agent,
    model: config.policy ?? config.model.model,
    user: config.user.strategy,
    user_model: config.user.endpoint.model,
    ...report,
  };
}
