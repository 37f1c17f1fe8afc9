/** The report on an evaluation. */

import type { Usage, UserFault } from "../../env/types.ts";
import { addUsage, NO_USAGE } from "../../env/models/usage.ts";
import { mean, tally } from "../runs/episode_stats.ts";
import type { StoredEpisode } from "../runs/episode_store.ts";
import { type Estimate, estimateShare } from "./interval.ts";
import { estimatePassK, solvedShare, taskResult } from "./pass_k.ts";

/** An evaluated task with its do-nothing baseline. */
export interface EvaluatedTask {
  readonly id: string;
  readonly intent: string | null;
  readonly baseline: 0 | 1;
}

/** The results for one kind of task. */
export interface IntentResult {
  readonly intent: string;
  readonly tasks: number;
  readonly reward: Estimate;
  /** The mean do-nothing baseline of these tasks. */
  readonly baseline: number;
}

/**
 * The figures of an evaluation. Episodes that failed because of infrastructure count only toward `failures`, `retries`
 * and `usage`.
 */
export interface EvaluationReport {
  readonly tasks: number;
  /** The number of scored episodes. */
  readonly scored: number;
  /** The number of planned episodes. */
  readonly planned: number;
  /** pass^1 to pass^k, each over the tasks with at least that many scored trials. */
  readonly passK: readonly Estimate[];
  readonly meanReward: number;
  /** The do-nothing baseline: the mean reward of an agent that does nothing, on the same tasks. */
  readonly baseline: number;
  /** The ids of the tasks that the do-nothing baseline solves. */
  readonly baselineTasks: readonly string[];
  readonly byIntent: readonly IntentResult[];
  /** The number of episodes for each reason why a reward is not 1. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly stopReasons: Readonly<Record<string, number>>;
  /** Tasks with scored episodes, none of which earned a reward of 1, with the reason why each episode failed. */
  readonly unsolved: readonly {
    readonly id: string;
    readonly reasons: readonly string[];
  }[];
  /** The share of episodes with each fault of the simulated user, among the episodes that were checked for faults. */
  readonly userFaults: {
    /** The number of episodes that were checked for faults. */
    readonly watched: number;
    readonly shares: Readonly<Partial<Record<UserFault, number>>>;
  };
  /** The number of episodes that failed because of infrastructure, keyed by source and kind: `user rate_limited`. */
  readonly failures: Readonly<Record<string, number>>;
  readonly retries: number;
  readonly meanTurns: number;
  readonly meanSeconds: number;
  readonly usage: { readonly agent: Usage; readonly user: Usage };
}

/** Returns the report on `episodes` of `tasks`, with `trials` planned per task. */
export function reportOn(
  episodes: readonly StoredEpisode[],
  { tasks, trials }: { tasks: readonly EvaluatedTask[]; trials: number },
): EvaluationReport {
  const scored = episodes.filter(({ reward }) => reward !== null);
  const byTask = Map.groupBy(scored, ({ taskId }) => taskId);
  const results = tasks.map(({ id }) => taskResult(byTask.get(id) ?? []));
  return {
    tasks: tasks.length,
    scored: scored.length,
    planned: tasks.length * trials,
    passK: Array.from(
      { length: trials },
      (_, i) => estimatePassK(results, i + 1),
    ),
    meanReward: mean(scored.map(({ reward }) => reward ?? 0)),
    baseline: mean(tasks.map(({ baseline }) => baseline)),
    baselineTasks: tasks.filter(({ baseline }) => baseline === 1).map((
      { id },
    ) => id),
    byIntent: byIntent(tasks, byTask),
    reasons: tally(scored.map(({ reason }) => reason)),
    stopReasons: tally(scored.map(({ stopReason }) => stopReason)),
    unsolved: unsolved(byTask),
    userFaults: userFaults(scored),
    failures: tally(
      episodes.map(({ failure }) =>
        failure && `${failure.source} ${failure.kind}`
      ),
    ),
    retries: episodes.reduce(
      (sum, { usage }) =>
        sum + (usage?.agent.retries ?? 0) + (usage?.user.retries ?? 0),
      0,
    ),
    meanTurns: mean(scored.map(({ turns }) => turns)),
    meanSeconds: mean(scored.map(({ durationMs }) => durationMs / 1000)),
    usage: usageOf(episodes),
  };
}

function byIntent(
  tasks: readonly EvaluatedTask[],
  episodes: ReadonlyMap<string, readonly StoredEpisode[]>,
): IntentResult[] {
  const groups = Map.groupBy(tasks, ({ intent }) => intent);
  return [...groups].flatMap(([intent, all]) => {
    if (intent === null) return [];
    const shares = all.map(({ id }) => taskResult(episodes.get(id) ?? []))
      .filter(({ trials }) => trials > 0)
      .map((result) => solvedShare(result, 1));
    return [{
      intent,
      tasks: all.length,
      reward: estimateShare(shares),
      baseline: mean(all.map(({ baseline }) => baseline)),
    }];
  }).sort((a, b) => a.intent < b.intent ? -1 : 1);
}

function unsolved(
  byTask: ReadonlyMap<string, readonly StoredEpisode[]>,
): EvaluationReport["unsolved"] {
  return [...byTask].flatMap(([id, all]) =>
    all.some(({ reward }) => reward === 1)
      ? []
      : [{ id, reasons: all.map(({ reason }) => reason ?? "unknown") }]
  );
}

function userFaults(
  episodes: readonly StoredEpisode[],
): EvaluationReport["userFaults"] {
  const watched = episodes.flatMap(({ findings }) =>
    findings ? [findings] : []
  );
  const counts = tally(
    watched.flatMap((
      findings,
    ) => [...new Set(findings.map(({ fault }) => fault))]),
  );
  return {
    watched: watched.length,
    shares: Object.fromEntries(
      Object.entries(counts).map(([fault, n]) => [fault, n / watched.length]),
    ),
  };
}

function usageOf(
  episodes: readonly StoredEpisode[],
): EvaluationReport["usage"] {
  const total = (side: "agent" | "user") =>
    episodes.map(({ usage }) => usage?.[side] ?? NO_USAGE)
      .reduce(addUsage, NO_USAGE);
  return { agent: total("agent"), user: total("user") };
}
