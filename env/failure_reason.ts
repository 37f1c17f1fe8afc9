/** Why an episode did not earn the reward, in one word. */

import type { Database, RowKey } from "./database.ts";
import type { Reward, StopReason } from "./types.ts";

/**
 * Cut off: `parse_errors`, `out_of_tokens`, `out_of_turns`. Handed over without being done: `transferred`. A row
 * that nobody asked to change: `extra_write`; a row that was to change, changed otherwise: `wrong_write`, or not:
 * `missing_write`. All rows right and something not told: `missing_output`.
 * Of a benchmark with checks of its own, the first that counts and fails: `failed_assertion` about the world,
 * `missing_call`, `failed_judgement`.
 */
export type FailureReason =
  | "parse_errors"
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

/** What an episode came to. */
export interface Ending {
  readonly reward: Reward;
  readonly stopReason: StopReason;
  /** As the episode left it, and as the gold actions leave it. */
  readonly database: Database;
  readonly gold: Database;
}

/** The reason, the first of those that hold; `null` where the reward is 1. */
export function failureReason(ending: Ending): FailureReason | null {
  const { reward, stopReason } = ending;
  if (reward.value === 1) return null;
  switch (stopReason) {
    case "parse_errors":
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

/** What the first check that counts and fails says; `undefined` where it is about rows, or there are none. */
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
