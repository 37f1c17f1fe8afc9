/** Assembles the view of an episode from its record, the run's dataset and the other episodes of its group. */

import { messageOf } from "../../env/errors.ts";
import type { JsonObject } from "../../env/python/python_json.ts";
import type { Dataset, Reward, Task } from "../../env/types.ts";
import { turnsOf as storedTurns } from "../../train/runs/run_episodes.ts";
import type { StoredEpisode } from "../../train/runs/episode_store.ts";
import {
  callOf,
  messagesOf,
  turnsOf,
  type TurnView,
} from "./conversation_view.ts";
import { recordedView, replayedView, viewByRules } from "./database_view.ts";
import {
  type EpisodeFinder,
  type FinderInput,
  recordedFindings,
} from "./findings.ts";
import type {
  DatabaseView,
  EpisodeRow,
  EpisodeView,
  FindingView,
  SiblingView,
  TaskView,
} from "./protocol.ts";
import { taskOf, type World } from "./world_view.ts";

/** The stored conversation of an episode. */
export interface EpisodeParts {
  readonly messages: readonly JsonObject[];
  readonly turns: readonly JsonObject[];
}

/** The input of {@linkcode viewEpisode}. */
export interface EpisodeInput {
  readonly run: string;
  readonly row: EpisodeRow;
  readonly stored: Pick<
    StoredEpisode,
    | "rewardDetail"
    | "failure"
    | "usage"
    | "findings"
    | "retries"
    | "startedAtMs"
    | "tokens"
  >;
  /** The episodes of the group, including the episode itself. */
  readonly group: readonly EpisodeRow[];
  /** Returns the conversation of an episode of the group. */
  readonly partsOf: (id: number) => EpisodeParts;
  readonly world: () => Promise<World>;
  /** The task as it was at the time of the run. Default: the task with the same id in the run's dataset. */
  readonly known?: Task;
  /** The view of the task to show if the run's dataset is not available. */
  readonly task?: TaskView | null;
  readonly find: EpisodeFinder;
  /**
   * What the record contains about the final database. `rows`: which rows are wrong. `verdict`: only whether the
   * database is right. `nothing`: no information. Default: `rows`.
   */
  readonly knows?: "rows" | "verdict" | "nothing";
}

/** The maximum number of siblings to list. */
const MAX_SIBLINGS = 64;

/** Assembles the view of an episode. */
export async function viewEpisode(
  material: EpisodeInput,
): Promise<EpisodeView> {
  const { row, stored } = material;
  const parts = material.partsOf(row.id);
  const turns = turnsOf(parts.turns);
  const { dataset, note } = await material.world();
  const task = dataset === null
    ? null
    : material.known ?? taskOf(dataset, row.task);
  const detail = stored.rewardDetail;
  const known = { dataset, task, note, turns, stored: parts.turns };
  const database = await databaseOf(material, known);
  const isKnown = material.knows !== "nothing";
  const episode = {
    run: material.run,
    row,
    messages: messagesOf(parts.messages, turns),
    reward: detail === null ? null : {
      value: detail.value,
      database: isKnown ? detail.parts.database : verdictOf(database),
      outputs: detail.parts.outputs,
      missingOutputs: detail.missingOutputs,
      checks: detail.checks ?? [],
    },
    failure: stored.failure,
    database,
    task: task === null ? material.task ?? null : taskView(task),
    usage: stored.usage,
    retries: stored.retries,
    startedAtMs: stored.startedAtMs,
    hasTokens: stored.tokens > 0,
  };
  const found = {
    episode,
    turns: parts.turns,
    reward: detail,
    failure: stored.failure,
    userFindings: stored.findings ?? [],
    dataset,
    task,
  };
  return {
    ...episode,
    findings: [
      ...await foundBy(material.find, found),
      ...recordedFindings(found),
    ],
    siblings: siblingsOf(material, turns),
  };
}

/** Returns the findings of a diagnosis. If the diagnosis throws, returns a finding with the error. */
async function foundBy(
  find: EpisodeFinder,
  found: FinderInput,
): Promise<readonly FindingView[]> {
  try {
    return await find(found);
  } catch (error) {
    return [{
      kind: "diagnosis",
      title: "The diagnosis failed; only the record is shown",
      detail: messageOf(error),
      turn: null,
      blame: null,
    }];
  }
}

interface Known {
  readonly dataset: Dataset | null;
  readonly task: Task | null;
  readonly note: string | null;
  readonly turns: readonly TurnView[];
  /** The turns as they are stored. */
  readonly stored: readonly JsonObject[];
}

async function databaseOf(
  { stored, knows = "rows" }: EpisodeInput,
  { dataset, task, note, turns, stored: storedAs }: Known,
): Promise<DatabaseView> {
  const reward = stored.rewardDetail;
  if (dataset === null || task === null) {
    return recordedView(
      reward,
      note ?? "The run's dataset no longer contains this task",
    );
  }
  const { rules } = dataset;
  let view: DatabaseView;
  try {
    view = rules === undefined
      ? await replayedView({ dataset, task }, turns)
      : viewByRules(rules.replay(task, storedTurns(storedAs)));
  } catch (error) {
    if (rules === undefined) throw error;
    const why = `The calls cannot be replayed (${messageOf(error)})`;
    return recordedView(reward, `${why}, so only the record is shown`);
  }
  if (reward === null || agrees(view, reward, knows)) return view;
  return recordedView(
    reward,
    "Replaying the calls does not reproduce the recorded database, so only the record is shown",
  );
}

/** Checks whether the replayed database agrees with the record. */
function agrees(
  view: DatabaseView,
  reward: Reward,
  knows: "rows" | "verdict" | "nothing",
): boolean {
  // If the reward does not compare rows, they cannot contradict it.
  if (view.isCompared === false) return true;
  const wrong = view.rows.filter(({ isRight }) => !isRight).length;
  if (knows === "rows") return wrong === reward.differences.length;
  return knows === "nothing" || (wrong === 0) === (reward.parts.database === 1);
}

/**
 * Returns 1 if a replayed database is right and 0 if it is wrong, or `null` if the episode was not replayed or the
 * reward does not compare databases.
 */
function verdictOf(
  { rows, isWhole, isCompared }: DatabaseView,
): 0 | 1 | null {
  if (!isWhole || isCompared === false) return null;
  return rows.every(({ isRight }) => isRight) ? 1 : 0;
}

function siblingsOf(
  { group, row, partsOf }: EpisodeInput,
  mine: readonly TurnView[],
): SiblingView[] {
  return group.slice(0, MAX_SIBLINGS).map((other) => ({
    row: other,
    ...(other.id === row.id
      ? { partsAt: null, partsBy: null }
      : firstDifference(mine, turnsOf(partsOf(other.id).turns))),
  }));
}

function taskView({ instruction, actions, outputs }: Task): TaskView {
  return {
    instruction,
    actions: actions.map(({ name, arguments: args }) => callOf(name, args)),
    outputs,
  };
}

/**
 * Finds the first turn in which two episodes have different actions or observations, or which only one of the episodes
 * has. Both members of the result are `null` if there is no such turn.
 */
function firstDifference(
  mine: readonly TurnView[],
  other: readonly TurnView[],
): Pick<SiblingView, "partsAt" | "partsBy"> {
  const length = Math.max(mine.length, other.length);
  for (let turn = 0; turn < length; turn++) {
    const [a, b] = [mine[turn], other[turn]];
    if (a !== undefined && b !== undefined && isSame(a, b)) continue;
    return { partsAt: turn, partsBy: b === undefined ? "ends" : wordsOf(b) };
  }
  return { partsAt: null, partsBy: null };
}

function isSame(a: TurnView, b: TurnView): boolean {
  return a.name === b.name && a.what === b.what &&
    a.observation === b.observation;
}

function wordsOf({ name, what }: TurnView): string {
  const text = name === null ? what : `${name} ${what}`;
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
