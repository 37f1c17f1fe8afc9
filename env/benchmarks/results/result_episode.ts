/**
 * Defines types for episodes from benchmarks' result files, in the format of the episode store, and for the tasks of
 * these episodes.
 */

import type { JsonObject } from "../../python/python_json.ts";
import type { Dataset, Failure, Reward, Task } from "../../types.ts";

/** An episode from a result file. */
export interface ResultEpisode {
  /** The episode's position in the file, from 1. */
  readonly number: number;
  /** The task's index, from 0: within the split for τ-bench, within the file for τ³-bench. */
  readonly task: number;
  readonly trial: number;
  /** The reward; `null` if the episode failed or, in a τ³-bench file, has no reward. */
  readonly reward: Reward | null;
  /** Whether `reward.parts.database` is known rather than inferred. */
  readonly isDatabaseKnown: boolean;
  /** The failure; `null` if no exception ended the episode. */
  readonly failure: Failure | null;
  readonly messages: readonly JsonObject[];
  readonly turns: readonly JsonObject[];
  readonly stop: string;
  /** The user's instruction; `null` if the file does not have it. */
  readonly instruction: string | null;
  /** The gold actions recorded in the file; `null` if it has none. */
  readonly actions: readonly { name: string; kwargs: JsonObject }[] | null;
  /** The outputs that the agent had to state; `null` if the file does not have them. */
  readonly outputs: readonly string[] | null;
}

/** A record's task and its dataset. */
export interface KnownTask {
  readonly dataset: Dataset;
  readonly task: Task;
  /** Whether the task was rebuilt from the file, because the dataset lacks it or has a different version of it. */
  readonly isRecorded: boolean;
}

/** The tasks of records, keyed by record number. A task is `null` if neither the dataset nor the file has it. */
export type KnownTasks = ReadonlyMap<number, KnownTask | null>;
