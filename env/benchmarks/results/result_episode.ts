/** An episode of a benchmark's own result file, in the form of the store; and its task, where the data or the file have it. */

import type { JsonObject } from "../../python/python_json.ts";
import type { Dataset, Failure, Reward, Task } from "../../types.ts";

/** An episode of a result file. */
export interface ResultEpisode {
  /** Its position in the file, from 1. */
  readonly number: number;
  /** Position of its task: in its split for τ-bench, in the file for τ³-bench. */
  readonly task: number;
  readonly trial: number;
  /** `null` where the episode failed, or was not judged. */
  readonly reward: Reward | null;
  /** Whether `reward.parts.database` is more than a guess. */
  readonly isDatabaseKnown: boolean;
  /** The exception that ended it, where one did. */
  readonly failure: Failure | null;
  readonly messages: readonly JsonObject[];
  readonly turns: readonly JsonObject[];
  readonly stop: string;
  /** What the user was told; `null` where the file does not say. */
  readonly instruction: string | null;
  /** The expected actions of the agent that the file holds; `null` where it holds none. */
  readonly actions: readonly { name: string; kwargs: JsonObject }[] | null;
  /** What the agent had to tell; `null` where the file does not say. */
  readonly outputs: readonly string[] | null;
}

/** A record's task, and the dataset that it is of. */
export interface KnownTask {
  readonly dataset: Dataset;
  readonly task: Task;
  /** The dataset has no such task, or has changed it: this one is made of what the file says. */
  readonly isRecorded: boolean;
}

/** The tasks of records by their positions; `null` where neither the data nor the file have one. */
export type KnownTasks = ReadonlyMap<number, KnownTask | null>;
