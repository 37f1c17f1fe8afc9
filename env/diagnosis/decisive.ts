/**
 * The first decisive error of an episode: the write after which no continuation reaches the right state, or,
 * where none was, what had not been done or told when it ended.
 */

import { callTool } from "../call_tool.ts";
import type { Database, RowKey } from "../database.ts";
import { domainOf } from "../domains/registry.ts";
import { isEnded } from "../final_reward.ts";
import { goldOf } from "../gold.ts";
import { grade } from "../reward.ts";
import { sameCanonical } from "../state_hash.ts";
import type {
  Dataset,
  ReplayedTurns,
  Reward,
  RewardCheck,
  RowDifference,
  SidedAction,
  StopReason,
  Task,
  ToolAction,
  Turn,
} from "../types.ts";
import { replayByRules } from "./decisive_by_rules.ts";
import { canReach } from "./reachable.ts";

/** What an episode's record has to hold to be looked into. */
export interface DiagnosedEpisode {
  readonly turns: readonly Turn[];
  readonly stopReason: StopReason;
  /** As recorded; what a judge said is taken from it. Default: none. */
  readonly reward?: Reward | null;
}

/** A call of the episode that changed the database, or the user's. */
export interface Write {
  /** Its turn, from 0. */
  readonly turn: number;
  readonly action: SidedAction;
  /** The state right after it. */
  readonly database: Database;
}

/**
 * The first decisive error.
 * - `write`: after it the gold state was out of reach; `rows` is what it made wrong and nothing could mend.
 * - `ending`: everything could still have become right when the conversation ended; `rows` is what was left.
 * - `untold`: the database is right, and `outputs` were not told.
 * - `cut_off`: all is right, and the conversation did not come to its end.
 *
 * Where a benchmark's reward is about more than rows, `unmet` holds the checks that count and fail.
 */
export type Decisive =
  | {
    readonly kind: "write";
    readonly turn: number;
    readonly action: SidedAction;
    readonly rows: readonly RowDifference[];
    readonly unmet?: readonly RewardCheck[];
    /** False where the search was given up at an earlier write. */
    readonly isCertain: boolean;
  }
  | {
    readonly kind: "ending";
    /** The last turn. */
    readonly turn: number;
    readonly rows: readonly RowDifference[];
    readonly unmet?: readonly RewardCheck[];
    /** Gold writes that the episode never made, argument for argument. */
    readonly missing: readonly SidedAction[];
  }
  | {
    readonly kind: "untold";
    readonly turn: number;
    readonly outputs: readonly string[];
  }
  | { readonly kind: "cut_off"; readonly turn: number };

/** What a replay of an episode shows. */
export interface Replay {
  /** The reward by the final state and what was said; equal to the recorded one unless the data changed. */
  readonly reward: Reward;
  readonly writes: readonly Write[];
  /** `null` where the reward is 1, or nobody could tell. */
  readonly decisive: Decisive | null;
  /** See {@linkcode ReplayedTurns.refused}; left out where no rules say so. */
  readonly refused?: ReplayedTurns["refused"];
}

/** Replays an episode's calls on a fresh world, and finds its first decisive error. */
export function replayEpisode(
  episode: DiagnosedEpisode,
  { dataset, task }: { readonly dataset: Dataset; readonly task: Task },
): Replay {
  const { rules } = dataset;
  if (rules !== undefined) return replayByRules(episode, { rules, task });
  const writes = writesOf(episode, dataset);
  const gold = goldOf(dataset, task);
  const database = writes.at(-1)?.database ?? dataset.database.fork();
  const said = episode.turns.flatMap(({ action }) =>
    action.type === "respond" ? [action.content] : []
  );
  const reward = asScored(grade({ database, gold, task, said }), episode);
  const decisive = reward.value === 1
    ? null
    : findDecisive({ episode, writes, reward, gold, dataset, task });
  return { reward, writes, decisive };
}

/** Only a conversation that came to its end is scored by its state. */
export function asScored(
  reward: Reward,
  { stopReason }: DiagnosedEpisode,
): Reward {
  return isEnded(stopReason) ? reward : { ...reward, value: 0 };
}

/** The writes of an episode, each with the state after it. */
function writesOf({ turns }: DiagnosedEpisode, dataset: Dataset): Write[] {
  const domain = domainOf(dataset);
  const writes: Write[] = [];
  let database = dataset.database.fork();
  for (const [turn, { action }] of turns.entries()) {
    if (action.type !== "tool") continue;
    const next = database.fork();
    callTool(domain, next, action.call);
    if (next.diff(database).length === 0) continue;
    writes.push({ turn, action: action.call, database: next.fork() });
    database = next;
  }
  return writes;
}

interface Parts {
  readonly episode: DiagnosedEpisode;
  readonly writes: readonly Write[];
  readonly reward: Reward;
  readonly gold: Database;
  readonly dataset: Dataset;
  readonly task: Task;
}

function findDecisive(parts: Parts): Decisive {
  const { episode, writes, reward, task, dataset } = parts;
  const last = episode.turns.length - 1;
  if (reward.parts.database === 1 && reward.parts.outputs !== 0) {
    return { kind: "cut_off", turn: last };
  }
  if (reward.parts.database === 1) {
    return { kind: "untold", turn: last, outputs: reward.missingOutputs };
  }
  const lost = firstLost(parts);
  if (lost !== undefined) return lost;
  const missing = goldWrites(dataset, task).filter((gold) =>
    !writes.some(({ action }) => sameCall(action, gold))
  );
  return { kind: "ending", turn: last, rows: reward.differences, missing };
}

/** The first write with which the gold state was out of reach. */
function firstLost(parts: Parts): Decisive | undefined {
  const { writes, gold, dataset, task } = parts;
  const options = {
    domain: domainOf(dataset),
    gold,
    writes: goldWrites(dataset, task),
  };
  let isCertain = true;
  for (const [index, { turn, action, database }] of writes.entries()) {
    const reach = canReach(database, options);
    // What could not be settled at an earlier write is settled by a later one that can still be mended.
    isCertain = reach === "yes" || isCertain && reach === "no";
    if (reach !== "no") continue;
    const rows = wrongRows(index, parts);
    return { kind: "write", turn, action, rows, isCertain };
  }
  return undefined;
}

/** The rows that a write made wrong; where it made none wrong and barred the way, all that is left to do. */
function wrongRows(
  index: number,
  { writes, gold, dataset, task }: Parts,
): readonly RowDifference[] {
  const after = writes[index]?.database ?? dataset.database;
  const before = writes[index - 1]?.database ?? dataset.database.fork();
  const { differences } = grade({ database: after, gold, task, said: [] });
  const touched = new Set(before.diff(after).map(keyOf));
  const made = differences.filter((row) => touched.has(keyOf(row)));
  return made.length === 0 ? differences : made;
}

function keyOf({ table, id }: RowKey): string {
  return `${table}/${id}`;
}

/** The gold actions that may change something. */
export function goldWrites(dataset: Dataset, task: Task): ToolAction[] {
  const domain = domainOf(dataset);
  const database = dataset.database.fork();
  return task.actions.filter((action) => {
    if (dataset.terminatingTools.includes(action.name)) return false;
    const before = database.fork();
    callTool(domain, database, action);
    return database.diff(before).length > 0;
  });
}

function sameCall(a: ToolAction, b: ToolAction): boolean {
  return a.name === b.name && sameCanonical(a.arguments, b.arguments);
}
