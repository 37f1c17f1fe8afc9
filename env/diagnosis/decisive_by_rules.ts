/**
 * Finds the first decisive error according to a benchmark's own rules, which cover the writes of both sides and every
 * check of the reward.
 */

import { describeRow } from "../reward.ts";
import type {
  ConversationRules,
  ReplayedTurns,
  Reward,
  RewardCheck,
  RowDifference,
  Task,
} from "../types.ts";
import {
  asScored,
  type DecisiveError,
  type DiagnosedEpisode,
  type Replay,
} from "./decisive.ts";

/** The names of the checks that concern the world's state. */
const WORLD = ["DB", "ENV_ASSERTION"];

/** The names of the checks that concern the agent's messages. */
const WORDS = ["COMMUNICATE", "NL_ASSERTION"];

/** Replays an episode according to the benchmark's rules: the task's setup, followed by the calls of both sides. */
export function replayByRules(
  episode: DiagnosedEpisode,
  { rules, task }: { readonly rules: ConversationRules; readonly task: Task },
): Replay {
  const replayed = rules.replay(task, episode.turns);
  const graded = withVerdicts(replayed.reward, episode.reward);
  const reward = asScored(graded, episode);
  const { writes, refused } = replayed;
  return {
    reward,
    writes: writes.map(({ databases, ...write }) => ({
      ...write,
      database: databases.agent,
    })),
    decisive: reward.value === 1 || graded.isUnjudged
      ? null
      : findDecisive({ episode, replayed, unmet: unmetOf(graded) }),
    refused,
  };
}

/**
 * Returns the replayed reward. If it lacks a judge's verdicts and the recorded reward has them, the result contains the
 * recorded verdicts and value.
 */
function withVerdicts(
  replayed: Reward,
  recorded: Reward | null | undefined,
): Reward {
  if (!replayed.isUnjudged || !recorded || recorded.isUnjudged) return replayed;
  const isVerdict = ({ part }: RewardCheck) => part === "NL_ASSERTION";
  const verdicts = recorded.checks?.filter(isVerdict) ?? [];
  const { isUnjudged: _, checks = [], ...rest } = replayed;
  return {
    ...rest,
    value: recorded.value,
    checks: [...checks.filter((check) => !isVerdict(check)), ...verdicts],
  };
}

function unmetOf({ checks = [] }: Reward): RewardCheck[] {
  return checks.filter(({ counts, met }) => counts && met === false);
}

interface Parts {
  readonly episode: DiagnosedEpisode;
  readonly replayed: ReplayedTurns;
  readonly unmet: readonly RewardCheck[];
}

function findDecisive({ episode, replayed, unmet }: Parts): DecisiveError {
  const turn = episode.turns.length - 1;
  const isOf = (parts: readonly string[]) =>
    unmet.some(({ part }) => parts.includes(part));
  if (isOf(WORLD)) {
    const lost = firstLost(replayed, unmet);
    if (lost !== undefined) return lost;
  }
  if (isOf([...WORLD, "ACTION"])) {
    const { missing, reward: { differences: rows } } = replayed;
    return { kind: "ending", turn, rows, unmet, missing };
  }
  if (!isOf(WORDS)) return { kind: "cut_off", turn };
  return { kind: "untold", turn, outputs: unmet.map(({ what }) => what) };
}

/**
 * Finds the first write after which the expected actions can no longer bring the world to its goal. If the actions
 * could not do so even at the start, no write is decisive. If the reward does not compare the databases, the result is
 * not certain, since other calls could satisfy its assertions too.
 */
function firstLost(
  replayed: ReplayedTurns,
  unmet: readonly RewardCheck[],
): DecisiveError | undefined {
  const { writes, start, isCompared } = replayed;
  if (replayed.canFinish(start) === "no") return undefined;
  let isCertain = isCompared;
  for (const [index, { turn, action, databases }] of writes.entries()) {
    const reach = replayed.canFinish(databases);
    if (reach === "unknown") isCertain = false;
    if (reach === "yes") isCertain = isCompared;
    if (reach !== "no") continue;
    const rows = wrongRows(replayed, index);
    return { kind: "write", turn, action, rows, isCertain, unmet };
  }
  return undefined;
}

/**
 * Returns the rows that a write made wrong. If the write made no row wrong, but prevents other writes, returns all
 * wrong rows. Returns no rows if the reward does not compare the databases.
 */
function wrongRows(
  { writes, start, target, isCompared }: ReplayedTurns,
  index: number,
): readonly RowDifference[] {
  if (!isCompared) return [];
  const after = writes[index]?.databases ?? start;
  const before = writes[index - 1]?.databases ?? start;
  const all = (["agent", "user"] as const).flatMap((side) => {
    const [is, was, should] = [after[side], before[side], target[side]];
    if (is === undefined || was === undefined || should === undefined) {
      return [];
    }
    const touched = new Set(was.diff(is).map(({ table, id }) => table + id));
    return should.diff(is).map((row) => ({
      row: describeRow(row),
      isMade: touched.has(row.table + row.id),
    }));
  });
  const made = all.filter(({ isMade }) => isMade);
  return (made.length === 0 ? all : made).map(({ row }) => row);
}
