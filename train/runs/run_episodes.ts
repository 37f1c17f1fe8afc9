/** The episodes of a run of any kind, together with their dataset. */

import { join } from "node:path";
import { parse } from "yaml";
import { DataError, messageOf, RunDirError } from "../../env/errors.ts";
import {
  type JsonObject,
  parsePythonJson,
} from "../../env/python/python_json.ts";
import { objectAt, objectsAt, textAt } from "../../env/row.ts";
import type { Trajectory } from "../../env/tokens/trajectory.ts";
import {
  type Action,
  type AnsweredCall,
  type Dataset,
  END_REASONS,
  type EndReason,
  type Observation,
  type StopReason,
  type Task,
  type ToolCall,
  type Turn,
} from "../../env/types.ts";
import { evaluationDataSchema } from "../config/config_sections.ts";
import {
  type BenchmarkDirs,
  dataAt,
  type DataConfig,
  openDataset,
} from "../config/open_dataset.ts";
import type { EpisodeStore, StoredEpisode } from "./episode_store.ts";
import type { EpisodeTally } from "./episode_tally.ts";
import type { RunInfo } from "./run_info.ts";
import {
  isSame,
  originalDatasetHint,
  usedOtherDataset,
} from "./resume_check.ts";
import { readRunInfo, readStore } from "./run_reader.ts";
import { readTextIfThere } from "./storage.ts";

/** An episode of a run, with its task. */
export interface RunEpisode {
  readonly record: StoredEpisode;
  readonly stopReason: StopReason;
  readonly task: Task;
  /**
   * Reads the turns from the store on each call. They are not kept in memory, because conversations are large and few
   * are needed.
   */
  turns(): Turn[];
  /** Reads the messages as JSON text. Integers and floats are spelled as in Python. */
  messages(): string;
  /** Reads the tokens. Returns `null` if the model is not token-level, or the run does not keep them. */
  trajectory(): Trajectory | null;
}

/** A run opened for reading. Use it with `using`. */
export interface RunEpisodes extends Disposable {
  readonly path: string;
  readonly info: RunInfo;
  readonly dataset: Dataset;
  /**
   * Lists episodes in the order in which they ended. Skips episodes whose task is not in the dataset, or whose row is
   * damaged.
   */
  list(
    where?: { readonly source?: string; readonly step?: number },
  ): RunEpisode[];
  /** Returns the counts that advisories are based on; `null` if there are no episodes. */
  tally(): EpisodeTally | null;
  /** The episodes that {@linkcode RunEpisodes.list} skips because their rows are damaged, one sentence each. */
  damaged(): string[];
}

/**
 * Opens a run's episodes and its dataset.
 * @param dirs The current directories of the benchmarks. Default: the directories that the run used.
 * @throws {ConfigError} If there is no such run, or its dataset is not in the given directory.
 * @throws {RunDirError} If it is damaged or from an incompatible version, or used another dataset.
 */
export async function openRunEpisodes(
  path: string,
  dirs: BenchmarkDirs = {},
): Promise<RunEpisodes> {
  const info = await readRunInfo(path);
  const data = await readData(path);
  const dataset = await openDataset(dataAt(data, dirs));
  if (!isSame(info, dataset)) {
    throw new RunDirError(
      `Cannot open the episodes of "${path}": ${
        usedOtherDataset(info, dataset)
      }`,
      { hint: originalDatasetHint(info, data.exclude) },
    );
  }
  return openStore(path, { info, dataset });
}

/**
 * Reads the `data` section of a run's config, parsed with the schema for evaluations, which has the keys of all kinds
 * of runs.
 * @throws {RunDirError} If it cannot be read.
 */
export async function readData(path: string): Promise<DataConfig> {
  const name = join(path, "config.yaml");
  const text = await readTextIfThere(name);
  if (text === undefined) {
    throw new RunDirError(`"${name}" is missing`, {
      hint: "choose another run",
    });
  }
  const parsed = evaluationDataSchema.safeParse(parse(text)?.data);
  if (parsed.success) return parsed.data;
  throw new RunDirError(
    `"${name}" has no \`data\` section that this version of taulab can read`,
    { cause: parsed.error, hint: "use the version of taulab that wrote it" },
  );
}

function openStore(
  path: string,
  { info, dataset }: { info: RunInfo; dataset: Dataset },
): RunEpisodes {
  const store = readStore(path);
  const tasks = new Map(
    dataset.splits.flatMap((split) => dataset.tasks(split)).map((task) => [
      task.id,
      task,
    ]),
  );
  return {
    path,
    info,
    dataset,
    list: (where = {}) =>
      store.readable(where).episodes.flatMap((record) => {
        const task = tasks.get(record.taskId);
        return task === undefined ? [] : [episodeOf({ record, task, store })];
      }),
    tally: () => store.tally(),
    damaged: () => store.readable().damaged.map(({ what }) => what),
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
}

function episodeOf(
  { record, task, store }: {
    record: StoredEpisode;
    task: Task;
    store: EpisodeStore;
  },
): RunEpisode {
  const conversation = () => store.conversation(record.id);
  return {
    record,
    task,
    stopReason: record.stopReason as StopReason, // the store writes only these
    turns: () => parseTurns(intact(record, () => conversation().turns)),
    messages: () => intact(record, () => conversation().messages),
    trajectory: () => intact(record, () => store.trajectory(record.id)),
  };
}

/**
 * Returns the result of `read`, which reads the stored data of an episode.
 * @throws {DataError} If the data cannot be decompressed.
 */
function intact<T>({ id }: StoredEpisode, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code } = error as { code?: string };
    if (!code?.startsWith("Z_")) throw error;
    throw new DataError(
      `The stored data of episode ${id} is damaged: ${messageOf(error)}`,
      { cause: error, hint: "restore episodes.db from a backup" },
    );
  }
}

/**
 * Parses turns in the store's format.
 * @throws {DataError} If the text is not in the store's format.
 */
export function parseTurns(text: string): Turn[] {
  try {
    return turnsOf(parsePythonJson(text) as JsonObject[]);
  } catch (error) {
    throw new DataError(
      `Cannot read the turns of an episode: ${messageOf(error)}`,
      { cause: error, hint: "restore episodes.db from a backup" },
    );
  }
}

/**
 * Converts turns from the store's format.
 * @throws {TypeError | ToolError} If a turn does not have that format.
 */
export function turnsOf(turns: readonly JsonObject[]): Turn[] {
  return turns.map((turn) => {
    const openingCalls = callsAt(turn, "openingCalls");
    return {
      action: actionOf(objectAt(turn, "action")),
      observation: observationOf(objectAt(turn, "observation")),
      ...openingCalls && { openingCalls },
    };
  });
}

function actionOf(action: JsonObject): Action {
  if (textAt(action, "type") === "respond") {
    return { type: "respond", content: textAt(action, "content") };
  }
  return {
    type: "tool",
    call: callOf(objectAt(action, "call")),
    ...action.has("content") && { content: textAt(action, "content") },
    ...action.has("beside") &&
      { beside: objectsAt(action, "beside").map(callOf) },
  };
}

function callOf(call: JsonObject): ToolCall {
  return {
    id: textAt(call, "id"),
    name: textAt(call, "name"),
    arguments: objectAt(call, "arguments"),
  };
}

function observationOf(observation: JsonObject): Observation {
  const end = observation.get("end");
  const userCalls = callsAt(observation, "userCalls");
  return {
    source: textAt(observation, "source") === "user" ? "user" : "tool",
    content: textAt(observation, "content"),
    done: observation.get("done") === true,
    ...(isEnd(end) ? { end } : {}),
    ...userCalls && { userCalls },
  };
}

function isEnd(end: unknown): end is EndReason {
  return END_REASONS.includes(end as EndReason);
}

/** Returns the calls stored under a key of a turn, with their results; `undefined` if the key is missing. */
function callsAt(
  object: JsonObject,
  key: string,
): readonly AnsweredCall[] | undefined {
  if (!object.has(key)) return undefined;
  return objectsAt(object, key).map((made) => ({
    call: callOf(objectAt(made, "call")),
    content: textAt(made, "content"),
    error: made.get("error") === true,
  }));
}
