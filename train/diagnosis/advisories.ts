/**
 * Advisories: findings about a run that deserve a person's attention, each with the figures that show it and a filter
 * for its episodes. The code has no side effects, so the viewer, `deno task diagnose`, the training summary and
 * notebooks all print the same advisories.
 */

import type { Dataset } from "../../env/types.ts";
import { count, percent } from "../progress/amounts.ts";
import {
  type EpisodeTally,
  namedTasks,
  WINDOW,
} from "../runs/episode_tally.ts";
import { idleSteps } from "../runs/learning_signal.ts";
import type {
  AnyMetrics,
  Metrics,
  RlMetrics,
  SlimeRlMetrics,
} from "../runs/metrics.ts";

/** The kind of an advisory. */
export type AdvisoryKind =
  | "all_zero_groups"
  | "all_solved_groups"
  | "entropy_collapse"
  | "tool_never_called"
  | "parse_errors"
  | "failures"
  | "stale_samples"
  | "user_faults";

/** A finding about a run that deserves a person's attention. */
export interface Advisory {
  readonly kind: AdvisoryKind;
  /** `warning` if the finding affects the run's figures; `note` if it is merely worth knowing. */
  readonly level: "warning" | "note";
  /** A clause that summarizes the finding. */
  readonly title: string;
  /** A sentence with the figures that support the finding. */
  readonly evidence: string;
  /**
   * The viewer's filter that selects the affected episodes, as conditions keyed by field; `null` if no filter can
   * select them.
   */
  readonly filter: Readonly<Record<string, string>> | null;
  /** The viewer's name for the curve that shows the finding; `null` if there is none. */
  readonly curve: string | null;
}

/** The facts about a run from which its advisories are derived. */
export interface AdvisoryFacts {
  /** Metrics of a training run; empty for an evaluation. */
  readonly lines: readonly AnyMetrics[];
  /** Counts of the run's episodes; `null` if there are no episodes. */
  readonly tally: EpisodeTally | null;
  /** The run's dataset, if available. It determines which tools the tasks need. */
  readonly dataset: Dataset | null;
}

/** The thresholds at which advisories are reported. */
const LIMITS = {
  /** The minimum share of groups in which no episode earned a reward. */
  zeroGroups: 0.5,
  /** The minimum share of groups in which every episode earned the reward. */
  solvedGroups: 0.8,
  /** The minimum number of groups; with fewer groups, the two shares above are not checked. */
  groups: 4,
  /** The minimum number of steps at the end of a phase without anything to learn from. */
  idleSteps: 5,
  /** The maximum final entropy, as a share of the entropy in the first steps. */
  entropyShare: 0.25,
  /** A low entropy is not reported if the final reward is at least this high. */
  rewardLeft: 0.9,
  /** The number of steps that are averaged for each of the two values in a comparison. */
  meanOf: 5,
  /** The minimum number of unreadable answers per episode at the end of the run. */
  parseErrors: 0.2,
  /**
   * The minimum final rate of unreadable answers as a multiple of the lowest earlier rate, at which the advisory is a
   * warning.
   */
  parseErrorsGrowth: 2,
  /** The minimum share of failed episodes for a warning; below it, the advisory is a note. */
  failures: 0.05,
  /** The minimum mean age of samples, in rollouts. */
  staleness: 1,
  /** The minimum share of groups that were dropped as too old. */
  staleGroups: 0.1,
  /** The minimum share of scored episodes with the same fault of the simulated user. */
  userFaults: 0.05,
  /** The minimum number of episodes; with fewer episodes, unused tools are not reported. */
  episodes: 20,
} as const;

/** Returns the advisories of a run, warnings first. */
export function advisoriesOf(facts: AdvisoryFacts): Advisory[] {
  const all = [
    ...groupAdvisories(facts),
    ...entropyAdvisories(facts),
    ...toolAdvisories(facts),
    ...parseErrorAdvisories(facts),
    ...failureAdvisories(facts),
    ...staleAdvisories(facts),
    ...userAdvisories(facts),
  ];
  return all.sort((a, b) => rankOf(a) - rankOf(b));
}

/** Formats an advisory's filter as the value of `deno task view --filter`. */
export function filterText(filter: NonNullable<Advisory["filter"]>): string {
  return Object.entries(filter)
    .map(([field, value]) =>
      `${field}${/^[<>!~]/.test(value) ? "" : "="}${value}`
    ).join(" and ");
}

function rankOf({ level }: Advisory): number {
  return level === "warning" ? 0 : 1;
}

/**
 * Reports groups that teach nothing, because either every episode or no episode earned the reward, and steps at the end
 * of a phase without anything to learn from.
 */
function groupAdvisories({ lines, tally }: AdvisoryFacts): Advisory[] {
  if (tally === null) return [];
  const groups = tally.inWindow.groups.filter(({ scored }) => scored > 1);
  const idle = idleSteps(lines as readonly Metrics[]);
  const zero = groups.filter(({ best }) => best === 0);
  const solved = groups.filter(({ worst }) => worst >= 1);
  const isEnough = groups.length >= LIMITS.groups;
  const curve = tally.isTraining ? "rl.zeroVarianceShare" : null;
  if (
    isEnough && solved.length / groups.length >= LIMITS.solvedGroups
  ) {
    return [{
      kind: "all_solved_groups",
      level: "note",
      title: `In ${
        shareText(solved, groups)
      } groups, every episode earned the reward`,
      evidence: tally.isTraining
        ? `${
          inSteps(tally)
        } the policy learned nothing from these groups; train on harder tasks.`
        : `${inSteps(tally)}, these tasks are too easy to tell agents apart.`,
      filter: { ...windowFilter(tally), reward: "1" },
      curve,
    }];
  }
  const isZero = isEnough && zero.length / groups.length >= LIMITS.zeroGroups;
  if (!isZero && idle.steps < LIMITS.idleSteps) return [];
  const last = idle.steps === 1
    ? `the last step of ${idle.phase}`
    : `the last ${idle.steps} steps of ${idle.phase}`;
  const tasks = [...new Set(zero.map(({ task }) => task))]
    .filter((task) =>
      groups.every((group) => group.task !== task || group.best === 0)
    );
  return [{
    kind: "all_zero_groups",
    level: "warning",
    title: isZero
      ? `${shareText(zero, groups)} groups earned no reward`
      : `No learning signal in ${last}`,
    evidence: [
      isZero
        ? `${inSteps(tally)} no episode of these groups earned the reward`
        : `${inSteps(tally)}, no episode earned the reward in ${
          shareText(zero, groups)
        } groups`,
      ...(tasks.length > 0
        ? [`tasks that were never solved: ${namedTasks(tasks)}`]
        : []),
      ...(isZero && idle.steps > 0 ? [`no learning signal in ${last}`] : []),
    ].join("; ") + ".",
    filter: { ...windowFilter(tally), reward: "0" },
    curve,
  }];
}

/** Reports a policy that stopped exploring although its reward was still low: its entropy collapsed. */
function entropyAdvisories({ lines, tally }: AdvisoryFacts): Advisory[] {
  const rl = rlLines(lines).filter(({ entropy }) => entropy !== undefined);
  if (rl.length < 2 * LIMITS.meanOf) return [];
  const [first, last] = [
    rl.slice(0, LIMITS.meanOf),
    rl.slice(-LIMITS.meanOf),
  ];
  const [before, after] = [first, last].map((some) =>
    meanOf(some, ({ entropy }) => entropy)
  ) as [number, number];
  const reward = meanOf(last, (line) => line.reward);
  const equal = meanOf(last, (line) => line.zeroVarianceShare);
  const isCollapsed = before > 0 && after / before <= LIMITS.entropyShare &&
    !(reward >= LIMITS.rewardLeft);
  if (!isCollapsed) return [];
  return [{
    kind: "entropy_collapse",
    level: "warning",
    title: `Entropy fell to ${percent(after / before)} of its initial value`,
    evidence: `${before.toFixed(3)} nats in ${stepsText(first)}, ${
      after.toFixed(3)
    } in ${stepsText(last)}${
      Number.isNaN(reward) ? "" : `, where the reward is ${reward.toFixed(3)}`
    }${
      Number.isNaN(equal)
        ? ""
        : ` and ${percent(equal)} of the groups have equal rewards`
    }.`,
    filter: tally === null ? null : windowFilter(tally),
    curve: "rl.entropy",
  }];
}

/**
 * Reports tools that the tasks need but that no recent episode called or, without a dataset, tools that are no longer
 * called.
 */
function toolAdvisories({ tally, dataset }: AdvisoryFacts): Advisory[] {
  const called = tally?.inWindow.tools ?? null;
  if (tally === null || called === null) return [];
  if (tally.inWindow.episodes < LIMITS.episodes) return [];
  const needs = neededTools(dataset, tally.inWindow.tasks);
  const missing = [...needs].filter(([tool]) => !called.has(tool))
    .sort(([, a], [, b]) => b.length - a.length);
  const [first] = missing;
  if (first !== undefined) {
    return [{
      kind: "tool_never_called",
      level: "warning",
      title: missing.length === 1
        ? `${first[0]} was never called`
        : `${missing.length} tools that the tasks need were never called`,
      evidence: `${inSteps(tally)}, ${
        count(tally.inWindow.episodes)
      } episodes: ${
        missing.map(([tool, tasks]) =>
          `${tool}, needed by ${count(tasks.length)} of ${
            count(tally.inWindow.tasks.length)
          } tasks`
        ).join("; ")
      }.`,
      filter: {
        ...windowFilter(tally),
        task: first[1].slice(0, MAX_FILTER_TASKS).join(","),
      },
      curve: null,
    }];
  }
  if (dataset !== null) return [];
  const stopped = [...tally.earlierTools].filter((tool) => !called.has(tool));
  if (stopped.length === 0) return [];
  return [{
    kind: "tool_never_called",
    level: "note",
    title: `${stopped.join(", ")} ${
      stopped.length === 1 ? "is" : "are"
    } no longer called`,
    evidence: `Called before step ${tally.from}, but in none of the ${
      count(tally.inWindow.episodes)
    } episodes of ${rangeText(tally.from, tally.to)}.`,
    filter: {
      source: tally.source,
      step: `<${tally.from}`,
      tool: stopped.join(","),
    },
    curve: null,
  }];
}

/** The maximum number of tasks in a filter, which becomes part of a link's URL. */
const MAX_FILTER_TASKS = 20;

/**
 * Maps each of the agent's tools to the ids of the tried tasks whose expected actions use it; empty without a dataset.
 */
function neededTools(
  dataset: Dataset | null,
  tried: readonly string[],
): Map<string, string[]> {
  const needs = new Map<string, string[]>();
  if (dataset === null) return needs;
  const agents = new Set(dataset.tools.map((tool) => tool.function.name));
  const isTried = new Set(tried);
  for (const task of dataset.splits.flatMap((split) => dataset.tasks(split))) {
    if (!isTried.has(task.id)) continue;
    for (const tool of new Set(task.actions.map(({ name }) => name))) {
      if (!agents.has(tool)) continue;
      needs.set(tool, [...needs.get(tool) ?? [], task.id]);
    }
  }
  return needs;
}

/** Reports unreadable answers if they are frequent or increasing. */
function parseErrorAdvisories({ tally }: AdvisoryFacts): Advisory[] {
  if (tally === null) return [];
  const { parseErrors } = tally;
  const now = rateOf(parseErrors.filter(({ step }) => step >= tally.from));
  if (now < LIMITS.parseErrors) return [];
  const earlier = parseErrors.filter(({ step }) => step < tally.from);
  const windows = Array.from(
    { length: Math.floor(earlier.length / LIMITS.meanOf) },
    (_, i) => earlier.slice(i * LIMITS.meanOf, (i + 1) * LIMITS.meanOf),
  );
  const best = windows.toSorted((a, b) => rateOf(a) - rateOf(b))[0];
  const isRising = best !== undefined &&
    now >= LIMITS.parseErrorsGrowth * rateOf(best);
  // Without earlier steps to compare with, as in a short run or an evaluation, report only one or more per episode.
  if (!isRising && (best !== undefined || now < 1)) return [];
  return [{
    kind: "parse_errors",
    level: isRising ? "warning" : "note",
    title: isRising
      ? "Unreadable answers are increasing"
      : `${now.toFixed(1)} unreadable answers per episode`,
    evidence: isRising
      ? `${rateOf(best).toFixed(2)} per episode in ${stepsText(best)}, ${
        now.toFixed(2)
      } in ${rangeText(tally.from, tally.to)}.`
      : `${inSteps(tally)}, over ${count(tally.inWindow.episodes)} episodes.`,
    filter: { ...windowFilter(tally), parse_errors: ">0" },
    curve: tally.isTraining ? "rl.parseErrors" : null,
  }];
}

/** Reports infrastructure failures, grouped by source. */
function failureAdvisories({ tally }: AdvisoryFacts): Advisory[] {
  if (tally === null) return [];
  const bySource = Map.groupBy(tally.failures, ({ source }) => source);
  return [...bySource].map(([source, kinds]): Advisory => {
    const failed = kinds.reduce((sum, { episodes }) => sum + episodes, 0);
    const share = failed / tally.episodes;
    return {
      kind: "failures",
      level: share >= LIMITS.failures ? "warning" : "note",
      title: `${count(failed)} ${failed === 1 ? "episode" : "episodes"} failed${
        source === "unknown" ? "" : ` because of the ${source}`
      }`,
      evidence: `${percent(share)} of ${
        count(tally.episodes)
      } episodes, not scored: ${
        kinds.map(({ kind, episodes }) =>
          `${kind.replaceAll("_", " ")} ${count(episodes)}`
        ).join(", ")
      }.`,
      filter: source === "unknown"
        ? { failure: kinds.map(({ kind }) => kind).join(",") }
        : { failed_by: source },
      curve: null,
    };
  });
}

/** Reports samples that were old when they were used for training or, if there are none, groups dropped as too old. */
function staleAdvisories({ lines, tally }: AdvisoryFacts): Advisory[] {
  const last = rlLines(lines).slice(-WINDOW);
  const staleness = meanOf(last, (line) => slimeNumber(line, "staleness"));
  const dropped = sumOf(last, (line) => slimeNumber(line, "stale_groups"));
  const groups = sumOf(last, (line) => line.groups);
  const share = dropped / (groups + dropped);
  const kl = meanOf(last, ({ klOld }) => klOld);
  const isOld = staleness >= LIMITS.staleness;
  if (!isOld && !(share >= LIMITS.staleGroups)) return [];
  return [{
    kind: "stale_samples",
    level: "warning",
    title: isOld
      ? `Samples are ${
        staleness.toFixed(1)
      } rollouts old when they are trained on`
      : `${percent(share)} of the groups were too old to train on`,
    evidence: `In ${stepsText(last)}: ${
      [
        ...Number.isNaN(staleness)
          ? []
          : [`${staleness.toFixed(2)} rollouts old on average`],
        `${count(dropped)} of ${
          count(groups + dropped)
        } groups discarded as too old and sampled again`,
        ...Number.isNaN(kl)
          ? []
          : [`KL to the sampling policy ${kl.toPrecision(2)}`],
      ].join(", ")
    }.`,
    filter: tally === null ? null : windowFilter(tally),
    curve: "rl.slime.taulab/staleness",
  }];
}

/** Reports faults of the simulated user. */
function userAdvisories({ tally }: AdvisoryFacts): Advisory[] {
  if (tally === null || tally.inWindow.scored === 0) return [];
  const { faults, scored } = tally.inWindow;
  const many = [...faults].filter(([, n]) => n / scored >= LIMITS.userFaults)
    .sort(([, a], [, b]) => b - a);
  if (many.length === 0) return [];
  return [{
    kind: "user_faults",
    level: "warning",
    title: `The simulated user is at fault in up to ${
      percent(Math.min(1, sumOf(many, ([, n]) => n) / scored))
    } of the episodes`,
    evidence: `${inSteps(tally)}, ${count(scored)} scored episodes: ${
      many.map(([fault, n]) =>
        `${fault.replaceAll("_", " ")} in ${count(n)} (${percent(n / scored)})`
      ).join(", ")
    }.`,
    filter: {
      ...windowFilter(tally),
      fault: many.map(([fault]) => fault).join(","),
    },
    curve: null,
  }];
}

type RlLine = RlMetrics | SlimeRlMetrics;

function rlLines(lines: readonly AnyMetrics[]): RlLine[] {
  return lines.filter((line) => line.phase === "rl");
}

function slimeNumber(line: RlLine, name: string): number | undefined {
  return "slime" in line
    ? line.slime[`taulab/${name}`] ?? undefined
    : undefined;
}

function windowFilter({ source, from, to, isTraining }: EpisodeTally) {
  return { source, ...(isTraining ? { step: `${from}..${to}` } : {}) };
}

function inSteps({ from, to, isTraining, source }: EpisodeTally): string {
  return isTraining ? `In ${rangeText(from, to)}` : `In ${source}`;
}

function stepsText(lines: readonly { readonly step: number }[]): string {
  return rangeText(lines[0]?.step ?? 0, lines.at(-1)?.step ?? 0);
}

function rangeText(from: number, to: number): string {
  return from === to ? `step ${from}` : `steps ${from} to ${to}`;
}

function shareText(some: readonly unknown[], all: readonly unknown[]): string {
  return `${count(some.length)} of ${count(all.length)}`;
}

function rateOf(
  steps: readonly { readonly errors: number; readonly episodes: number }[],
): number {
  return sumOf(steps, ({ errors }) => errors) /
    Math.max(1, sumOf(steps, ({ episodes }) => episodes));
}

function sumOf<T>(
  all: readonly T[],
  of: (one: T) => number | undefined,
): number {
  return all.reduce((sum, one) => sum + (of(one) ?? 0), 0);
}

/** Returns the mean of the defined values; NaN if there are none. */
function meanOf<T>(
  all: readonly T[],
  of: (one: T) => number | undefined,
): number {
  const known = all.map(of).filter((value) => value !== undefined);
  return sumOf(known, (value) => value) / known.length;
}
