/**
 * Finds the first decisive error of an episode: the first write after which no continuation can reach the gold state.
 * If there is no such write, the error is what was still missing when the episode ended.
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

/** The parts of an episode's record that a diagnosis needs. */
export interface DiagnosedEpisode {
  readonly turns: readonly Turn[];
  readonly stopReason: StopReason;
  /** The recorded reward, from which a judge's verdicts are taken. Default: none. */
  readonly reward?: Reward | null;
}

/** A call that changed the agent's or the user's database. */
export interface Write {
  /** The index of the turn. */
  readonly turn: number;
  readonly action: SidedAction;
  /** The agent's database after the call. */
  readonly database: Database;
}

/**
 * The first decisive error.
 * - `write`: a write after which the gold state was out of reach; `rows` are the rows that it made permanently wrong.
 * - `ending`: the gold state was still in reach when the conversation ended; `rows` are the rows that still differ.
 * - `untold`: the database is right, but the agent did not state `outputs`.
 * - `cut_off`: everything is right, but the conversation was truncated.
 *
 * If a benchmark's reward depends on more than rows, `unmet` lists the failed checks that count.
 */
export type DecisiveError =
  | {
    readonly kind: "write";
    readonly turn: number;
    readonly action: SidedAction;
    readonly rows: readonly RowDifference[];
    readonly unmet?: readonly RewardCheck[];
    /**
     * Whether this error is certainly the first. False if the search exceeded its limit at an earlier write, since that
     * write may then be the decisive error, or if the reward does not compare the databases, since other calls could
     * satisfy its assertions.
     */
    readonly isCertain: boolean;
  }
  | {
    readonly kind: "ending";
    /** The index of the last turn. */
    readonly turn: number;
    readonly rows: readonly RowDifference[];
    readonly unmet?: readonly RewardCheck[];
    /** Gold writes for which the episode contains no call with the same arguments. */
    readonly missing: readonly SidedAction[];
  }
  | {
    readonly kind: "untold";
    readonly turn: number;
    readonly outputs: readonly string[];
  }
  | { readonly kind: "cut_off"; readonly turn: number };

/** The result of replaying an episode. */
export interface Replay {
  /**
   * The reward of the final state and the agent's messages, by the benchmark's rule. It equals the recorded reward
   * unless the dataset has changed or a custom reward function was used.
   */
  readonly reward: Reward;
  readonly writes: readonly Write[];
  /** The decisive error; `null` if the reward is 1 or requires a judge's verdict that was not recorded. */
  readonly decisive: DecisiveError | null;
  /** See {@linkcode ReplayedTurns.refused}; omitted unless the benchmark has its own rules. */
  readonly refused?: ReplayedTurns["refused"];
}

/** Replays an episode's calls in a fresh world, and finds its first decisive error. */
export function replayEpisode(
  episode: DiagnosedEpisode,
  { dataset, task }: { readonly dataset: Dataset; readonly task: Task },
): Replay {
  const { rules } = dataset;
  if (rules !== undefined) return replayByRules(episode, { rules, task });
  const writes = writesOf(episode, dataset);
  const gold = goldOf(dataset, task);
  const database = writes.at(-1)?.database ?? dataset.database.fork();
  const messages = episode.turns.flatMap(({ action }) =>
    action.type === "respond" ? [action.content] : []
  );
  const reward = asScored(grade({ database, gold, task, messages }), episode);
  const decisive = reward.value === 1
    ? null
    : findDecisive({ episode, writes, reward, gold, dataset, task });
  return { reward, writes, decisive };
}

/**
 * Returns the reward as it is scored. The value of a truncated conversation is 0, regardless of its state.
 */
export function asScored(
  reward: Reward,
  { stopReason }: DiagnosedEpisode,
): Reward {
  return isEnded(stopReason) ? reward : { ...reward, value: 0 };
}

/** Returns the writes of an episode, each with the state after it. */
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

function findDecisive(parts: Parts): DecisiveError {
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

/** Finds the first write after which the gold state was out of reach. Returns `undefined` if there is none. */
function firstLost(parts: Parts): DecisiveError | undefined {
  const { writes, gold, dataset, task } = parts;
  const options = {
    domain: domainOf(dataset),
    gold,
    writes: goldWrites(dataset, task),
  };
  let isCertain = true;
  for (const [index, { turn, action, database }] of writes.entries()) {
    const reach = canReach(database, options);
    // If a later state can still become the gold state, so can the undecided states before it.
    isCertain = reach === "yes" || isCertain && reach === "no";
    if (reach !== "no") continue;
    const rows = wrongRows(index, parts);
    return { kind: "write", turn, action, rows, isCertain };
  }
  return undefined;
}

/**
 * Returns the rows that a write made wrong. If the write made no row wrong, but prevents other writes, returns all rows
 * that still differ.
 */
function wrongRows(
  index: number,
  { writes, gold, dataset, task }: Parts,
): readonly RowDifference[] {
  const after = writes[index]?.database ?? dataset.database;
  const before = writes[index - 1]?.database ?? dataset.database.fork();
  const { differences } = grade({ database: after, gold, task, messages: [] });
  const touched = new Set(before.diff(after).map(keyOf));
  const made = differences.filter((row) => touched.has(keyOf(row)));
  return made.length === 0 ? differences : made;
}

function keyOf({ table, id }: RowKey): string {
  return `${table}/${id}`;
}

/** Returns the gold actions that change something, except calls to terminating tools. */
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
