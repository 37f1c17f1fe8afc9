/** Classifies why an episode's reward is not 1. */

import type { Database, RowKey } from "./database.ts";
import type { Reward, StopReason } from "./types.ts";

/**
 * Why an episode failed.
 * - Truncated: `parse_errors`, `agent_error`, `out_of_tokens`, `out_of_turns`.
 * - Transferred to a human too early: `transferred`.
 * - A row was changed that should not have been: `extra_write`.
 * - A row that should have been changed was changed wrongly: `wrong_write`.
 * - A row that should have been changed was not changed: `missing_write`.
 * - All rows are right, but the user was not told something: `missing_output`.
 * - In a benchmark with its own checks, an assertion about the world failed (`failed_assertion`), an expected call was
 *   not made (`missing_call`), or a judge rejected the conversation (`failed_judgement`). The first failed check that
 *   counts is the reason.
 */
export type FailureReason =
  | "parse_errors"
  | "agent_error"
  | "out_of_tokens"
  | "out_of_turns"
  | "transferred"
  | "extra_write"
  | "wrong_write"
  | "missing_write"
  | "missing_output"
  | "failed_assertion"
  | "missing_call"
  | "failed_judgement";

/** The outcome of an episode. */
export interface Ending {
  readonly reward: Reward;
  readonly stopReason: StopReason;
  /** The final state of the episode. */
  readonly database: Database;
  /** The state after the gold actions. */
  readonly gold: Database;
}

/** Returns the first reason that applies, or `null` if the reward is 1. */
export function failureReason(ending: Ending): FailureReason | null {
  const { reward, stopReason } = ending;
  if (reward.value === 1) return null;
  switch (stopReason) {
    case "parse_errors":
    case "agent_error":
    case "out_of_tokens":
      return stopReason;
    case "max_turns":
    case "too_many_errors":
      return "out_of_turns";
    case "transfer":
      return "transferred";
    default:
      return checkReason(reward) ??
        (reward.parts.database === 1 ? "missing_output" : rowReason(ending));
  }
}

const REASONS: Readonly<Record<string, FailureReason>> = {
  ENV_ASSERTION: "failed_assertion",
  ACTION: "missing_call",
  NL_ASSERTION: "failed_judgement",
  COMMUNICATE: "missing_output",
};

/**
 * Returns the reason that corresponds to the first failed check that counts; `undefined` if that check is about rows,
 * or if no check that counts has failed.
 */
function checkReason({ checks = [] }: Reward): FailureReason | undefined {
  const failed = checks.find(({ counts, met }) => counts && met === false);
  return failed && REASONS[failed.part];
}

function rowReason({ reward, database, gold }: Ending): FailureReason {
  const written = keysOf(database.changes());
  const meant = keysOf(gold.changes());
  const wrong = reward.differences.map(keyOf);
  if (wrong.some((row) => !meant.has(row))) return "extra_write";
  return wrong.some((row) => written.has(row))
    ? "wrong_write"
    : "missing_write";
}

function keysOf(rows: readonly RowKey[]): Set<string> {
  return new Set(rows.map(keyOf));
}

function keyOf({ table, id }: RowKey): string {
  return `${table} ${id}`;
}
