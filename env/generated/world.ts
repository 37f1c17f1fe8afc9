/**
 * The interface that a domain implements so that its worlds can be generated and their tasks certified.
 *
 *     WorldPart.open(seed, options) ─▶ WorldDraw.begin(place) ─▶ TaskBatch (tasks of one user, and their rows)
 *                                                                 │
 *     Factory: draws batches, certifies each task, replaces rejected batches, and merges the rows into one database
 *
 * The certificate relies on the domain's goals, clauses, scripted user and expert, which are written independently of
 * the generator, so an error in the generator leads to rejected tasks rather than to wrong tasks.
 */

import type { z } from "zod";
import type { Table } from "../database.ts";
import type { Rng } from "../random.ts";
import type { Prompts, Split, Task, ToolSchema } from "../types.ts";

/** Settings shared by all domains. */
export interface CommonOptions {
  readonly trainTasks: number;
  readonly devTasks: number;
  readonly testTasks: number;
  /** The number of tasks per user; the last user of a split may have fewer. */
  readonly tasksPerUser: number;
}

/** A domain's generator of worlds. */
export interface WorldPart<O extends CommonOptions = CommonOptions> {
  /** The schema of the settings: types, defaults and help texts. */
  readonly options: z.ZodType<O>;
  /** The version of the generator. It is incremented when the same seed and options produce a different world. */
  readonly version: number;
  /** The agents' policy. Its text was written for taulab, is not the benchmark's, and matches the oracle's clauses. */
  readonly policy: string;
  readonly tools: readonly ToolSchema[];
  readonly terminatingTools: readonly string[];
  readonly prompts: Prompts;
  /** Starts a world by drawing the rows that all users share, such as a store's products or an airline's flights. */
  open(seed: number, options: O): WorldDraw;
}

/** A world whose shared rows have been drawn, but not its batches of tasks. */
export interface WorldDraw {
  /**
   * Starts a batch by drawing the intents of a user's tasks. Repeating a failed draw keeps these intents and so does
   * not skew the configured weights. A batch that replaces a rejected one draws new intents.
   * @param rng The batch's own random number generator, so that batches do not affect each other.
   */
  begin(place: BatchPlace, rng: Rng): BatchDraw;
  /** Returns all tables of the world, including the rows of the given batches, in τ-bench's order and format. */
  tables(batches: readonly TaskBatch[]): Map<string, Table>;
}

/** The tasks of a batch: `count` tasks of a split, starting at `index`. */
export interface BatchPlace {
  /** The benchmark's name; omitted for τ-bench. */
  readonly benchmark?: string;
  readonly domain: string;
  readonly split: Split;
  readonly index: number;
  readonly count: number;
}

/** A batch whose intents have been drawn, but not its tasks. */
export interface BatchDraw {
  /** The intents of the tasks: `"cancel", "return"`. Used in the error message if no batch can be drawn. */
  readonly about: string;
  /** The hint for the error message if every draw fails with the given options. */
  readonly advice: string;
  /** Draws the tasks of the batch; `undefined` if the draw fails. A failed draw can be repeated. */
  draw(): TaskBatch | undefined;
}

/** The tasks of one user, with all users and rows that they need. */
export interface TaskBatch {
  readonly place: BatchPlace;
  /** `count` tasks with consecutive indices from `index`. Each has a goal. */
  readonly tasks: readonly Task[];
  /** The domain's own data, which {@linkcode WorldDraw.tables} converts to rows. */
  readonly rows: unknown;
}
