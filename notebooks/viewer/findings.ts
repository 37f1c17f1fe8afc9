/**
 * What explains an episode. This is the seam for a diagnosis: the viewer takes any {@linkcode EpisodeFinder} and
 * shows what it gives first; by itself it shows what the record holds.
 */

import type { JsonObject } from "../../env/python/python_json.ts";
import type {
  Dataset,
  Failure,
  Reward,
  Task,
  UserFinding,
} from "../../env/types.ts";
import { turnsOf } from "./conversation_view.ts";
import type { EpisodeView, FindingView } from "./protocol.ts";

/** An episode as a diagnosis sees it. */
export interface FoundIn {
  readonly episode: Omit<EpisodeView, "findings" | "siblings">;
  /** The agent's actions and their observations, as stored: `{action, observation}`. */
  readonly turns: readonly JsonObject[];
  readonly reward: Reward | null;
  readonly failure: Failure | null;
  readonly userFindings: readonly UserFinding[];
  /** The world, where the run's data are at hand. */
  readonly dataset: Dataset | null;
  readonly task: Task | null;
}

/** Explains episodes. Called when an episode is opened; its findings are shown before those of the record. */
export type EpisodeFinder = (
  found: FoundIn,
) => readonly FindingView[] | Promise<readonly FindingView[]>;

const REASONS: Readonly<Record<string, string>> = {
  parse_errors: "Too many of the agent's answers could not be read",
  agent_error: "The agent spoke where there is no user",
  out_of_tokens: "The agent ran out of tokens",
  out_of_turns: "The conversation ran out of turns",
  transferred: "Handed over to a person without being done",
  extra_write: "A row changed that nobody asked to change",
  wrong_write: "A row that was to change was changed otherwise",
  missing_write: "A row that was to change was not changed",
  missing_output: "All rows are right, but something was not told",
};

/** Reasons that no other party has a part in. */
const OWN_FAULTS = new Set(["parse_errors", "agent_error", "out_of_tokens"]);

const FAULTS: Readonly<Record<UserFinding["fault"], string>> = {
  leak: "The user told everything at once",
  invention: "The user said what their goal does not hold",
  early_stop: "The user ended before the request was settled",
  echo: "The user repeated what was said",
  endless: "The user went on after the request was settled",
};

/** What the record of an episode itself says. */
export function recordedFindings(
  { episode, turns, reward, userFindings }: FoundIn,
): FindingView[] {
  const { failure, row } = episode;
  const failed = failure === null ? [] : [{
    kind: "failure",
    title: `Not scored: the ${failure.source} failed (${failure.kind})`,
    detail: failure.message,
    turn: null,
    blame: "infrastructure",
  }];
  return [
    ...failed,
    ...reasonFinding(row.reason, reward),
    ...userFindings.map(
      (finding) => ({
        kind: "user",
        title: FAULTS[finding.fault] ?? finding.fault,
        detail: `Message ${finding.message + 1}: ${finding.evidence}`,
        turn: finding.message === 0 ? null : answered(turns, finding.message),
        blame: "user",
      }),
    ),
  ];
}

function reasonFinding(
  reason: string | null,
  reward: Reward | null,
): FindingView[] {
  if (reward === null || reward.value === 1) return [];
  const rows = reward.differences.map(({ table, id }) => `${table} ${id}`);
  const missing = reward.missingOutputs.map((output) => `"${output}"`);
  const detail = [
    rows.length === 0 ? "" : `Not as it should be: ${rows.join(", ")}.`,
    missing.length === 0 ? "" : `Never told: ${missing.join(", ")}.`,
  ].filter(Boolean).join(" ");
  return [{
    kind: "reward",
    title: REASONS[reason ?? ""] ?? (reason ?? "The reward is not 1"),
    detail,
    turn: null,
    blame: OWN_FAULTS.has(reason ?? "") ? "agent" : null,
  }];
}

/** The action that the user's message answers: the agent's message of that number. */
function answered(
  turns: readonly JsonObject[],
  message: number,
): number | null {
  const spoken = turnsOf(turns).flatMap(({ call }, i) =>
    call === null ? [i] : []
  );
  return spoken[message - 1] ?? null;
}
