/**
 * Defines findings, which explain an episode. The viewer accepts a custom {@linkcode EpisodeFinder}, such as a
 * diagnosis, and shows its findings before the findings from the record.
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

/** The input of an {@linkcode EpisodeFinder}. */
export interface FinderInput {
  readonly episode: Omit<EpisodeView, "findings" | "siblings">;
  /** The agent's actions and their observations, as they are stored: `{action, observation}`. */
  readonly turns: readonly JsonObject[];
  readonly reward: Reward | null;
  readonly failure: Failure | null;
  readonly userFindings: readonly UserFinding[];
  /** The run's dataset, or `null` if it is not available. */
  readonly dataset: Dataset | null;
  readonly task: Task | null;
}

/** A function that returns findings about an episode. It is called when the episode is opened. */
export type EpisodeFinder = (
  found: FinderInput,
) => readonly FindingView[] | Promise<readonly FindingView[]>;

const REASONS: Readonly<Record<string, string>> = {
  parse_errors: "Too many of the agent's answers could not be parsed",
  agent_error: "The agent sent a message in a task without a user",
  out_of_tokens: "The agent ran out of tokens",
  out_of_turns: "The conversation hit the turn limit",
  transferred: "Transferred to a human with the task unfinished",
  extra_write: "A row changed that should not have changed",
  wrong_write: "A row was changed to the wrong values",
  missing_write: "A row that should have changed did not",
  missing_output: "A required output is missing",
  failed_assertion: "An assertion about the final state failed",
  missing_call: "A required call is missing",
  failed_judgement: "The judge found that a criterion is not met",
};

/** The failure reasons for which only the agent can be at fault. */
const OWN_FAULTS = new Set(["parse_errors", "agent_error", "out_of_tokens"]);

const FAULTS: Readonly<Record<UserFinding["fault"], string>> = {
  leak: "The user revealed everything at once",
  invention: "The user said something that is not in their goal",
  early_stop: "The user ended the conversation before the request was settled",
  echo: "The user repeated earlier text",
  endless: "The user continued after the request was settled",
};

/** Returns the findings that follow from the episode's record. */
export function recordedFindings(
  { episode, turns, reward, userFindings }: FinderInput,
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
    rows.length === 0 ? "" : `Wrong rows: ${rows.join(", ")}.`,
    missing.length === 0 ? "" : `Missing outputs: ${missing.join(", ")}.`,
  ].filter(Boolean).join(" ");
  return [{
    kind: "reward",
    title: REASONS[reason ?? ""] ?? (reason ?? "The reward is not 1"),
    detail,
    turn: null,
    blame: OWN_FAULTS.has(reason ?? "") ? "agent" : null,
  }];
}

/**
 * Returns the index of the action that a message of the user answers, or `null` if there is none. The user's nth reply
 * answers the agent's nth message.
 */
function answered(
  turns: readonly JsonObject[],
  message: number,
): number | null {
  const spoken = turnsOf(turns).flatMap(({ call }, i) =>
    call === null ? [i] : []
  );
  return spoken[message - 1] ?? null;
}
