/** Audits a set of tasks: runs every check on every task, and compares splits. */

import { domainOf } from "../domains/registry.ts";
import type { Dataset, Split, Task } from "../types.ts";
import { duplicates } from "./duplicates.ts";
import {
  type CheckName,
  type Finding,
  finding,
  type RulesCheckName,
  type TaskCheck,
} from "./finding.ts";
import { forbiddenGold, goldErrors, idleTasks } from "./gold_checks.ts";
import { looseOutputs } from "./loose_outputs.ts";
import { overlaps, sharedRows, type SplitOverlap } from "./shared_rows.ts";
import { unknowable } from "./unknowable.ts";

export type { CheckName, Finding } from "./finding.ts";

/** The descriptions of the checks, as tables show them. */
export const CHECKS: Readonly<Record<CheckName, string>> = {
  gold_error: "gold actions that return an error",
  idle: "tasks solved by the do-nothing baseline",
  forbidden: "gold writes that the policy forbids",
  unknowable: "gold arguments that the agent cannot know",
  loose_output: "outputs that match by accident, or never",
  shared_rows: "held-out tasks that share rows with train tasks",
  duplicate: "near-duplicates of earlier tasks",
  failing_gold: "gold actions that do not earn the reward",
  hidden_state: "expected states that cannot be reached",
  spare_step: "gold writes that the reward does not depend on",
  uncounted: "listed criteria that do not count toward the reward",
  tool_fault: "gold states affected by a tool's bug",
  missing_tool: "references to tools that do not exist",
  noted: "faults documented by the authors",
};

/** Checks that only a benchmark's own rules perform. */
const RULES_CHECKS: ReadonlySet<CheckName> = new Set<RulesCheckName>([
  "failing_gold",
  "hidden_state",
  "spare_step",
  "uncounted",
  "tool_fault",
  "missing_tool",
  "noted",
]);

const CHECK_NAMES = Object.keys(CHECKS) as CheckName[];

const TASK_CHECKS: readonly (readonly [CheckName, TaskCheck])[] = [
  ["gold_error", goldErrors],
  ["idle", idleTasks],
  ["forbidden", forbiddenGold],
  ["unknowable", unknowable],
  ["loose_output", looseOutputs],
];

/**
 * Checks that replay the gold actions with the agent's tools only. For a benchmark with its own rules, the rules'
 * checks replace them.
 */
const REPLAYING: ReadonlySet<CheckName> = new Set(["gold_error", "idle"]);

/** The result of an audit. */
export interface AuditReport {
  /** The number of tasks per split. */
  readonly tasks: Readonly<Partial<Record<Split, number>>>;
  /** Findings about single tasks in the order of the splits, followed by findings about several tasks. */
  readonly findings: readonly Finding[];
  readonly overlaps: readonly SplitOverlap[];
  /** The flagged tasks, each with the first reason that was found. */
  readonly exclusions: readonly Exclusion[];
  /**
   * Checks that were skipped because they were not selected or, for `forbidden`, because the domain has no policy
   * clauses; omitted if there are none.
   */
  readonly unchecked?: readonly CheckName[];
  /** Whether the benchmark's own rules also performed checks. */
  readonly hasRules?: true;
}

/** Returns the checks that apply to a set of tasks, including the skipped checks. */
export function checksOf(
  { hasRules }: Pick<AuditReport, "hasRules">,
): CheckName[] {
  return CHECK_NAMES.filter((name) => hasRules || !RULES_CHECKS.has(name));
}

/** A flagged task and the reason why it should be excluded. */
export interface Exclusion {
  readonly task: string;
  readonly reason: string;
}

/** Options for {@linkcode audit}. */
export interface AuditOptions {
  /** The splits to audit. Default: all splits of the dataset. */
  readonly splits?: readonly Split[];
  /** The checks to perform. Default: all. */
  readonly checks?: readonly CheckName[];
  readonly signal?: AbortSignal | undefined;
  /** Called after each task with the number of tasks done and the total. */
  readonly onTask?: (done: number, of: number) => void;
}

/** Audits a dataset's tasks. The only side effects are the calls to `onTask`. */
export function audit(
  dataset: Dataset,
  { splits = dataset.splits, checks: asked = CHECK_NAMES, signal, onTask }:
    AuditOptions = {},
): AuditReport {
  const tasks = splits.flatMap((split) => dataset.tasks(split));
  const { rules } = dataset;
  const { policy, rows } = domainOf(dataset);
  const about = { ...rules !== undefined && { hasRules: true as const } };
  const unchecked = checksOf(about).filter((name) =>
    !asked.includes(name) || name === "forbidden" && policy === undefined
  );
  const checks: TaskCheck[] = TASK_CHECKS.filter(([name]) =>
    !unchecked.includes(name) && !(rules && REPLAYING.has(name)) &&
    !(rules && name === "unknowable" && rows === undefined)
  ).map(([, check]) => check);
  if (rules !== undefined) {
    checks.push((task) =>
      rules.faults(task).map((fault) => finding(task, fault))
    );
  }
  const ofTask = tasks.flatMap((task, i) => {
    signal?.throwIfAborted();
    const found = checks.flatMap((check) => check(task, dataset));
    onTask?.(i + 1, tasks.length);
    return found;
  });
  const audited = { dataset, tasks };
  const findings = [...ofTask, ...sharedRows(audited), ...duplicates(audited)]
    .filter(({ check }) => !unchecked.includes(check));
  return {
    tasks: countsOf(tasks),
    findings,
    overlaps: overlaps(audited),
    exclusions: exclusionsOf(findings),
    ...unchecked.length > 0 && { unchecked },
    ...about,
  };
}

function countsOf(tasks: readonly Task[]): Partial<Record<Split, number>> {
  const counts: Partial<Record<Split, number>> = {};
  for (const { split } of tasks) counts[split] = (counts[split] ?? 0) + 1;
  return counts;
}

function exclusionsOf(findings: readonly Finding[]): Exclusion[] {
  const reasons = new Map<string, string>();
  for (const { taskId, reason, evidence, exclude } of findings) {
    if (!exclude || reasons.has(taskId)) continue;
    reasons.set(taskId, `${reason} (${evidence})`);
  }
  return [...reasons].map(([task, reason]) => ({ task, reason }));
}
