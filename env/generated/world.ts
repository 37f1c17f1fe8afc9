/**
 * The generator's part of a domain: what it must provide so that worlds of it are drawn, and every task of them
 * certified.
 *
 *     WorldPart.open(seed, options) ─▶ WorldDraw.begin(place) ─▶ Lot (tasks of one user, and their rows)
 *                                                                 │
 *     Factory: draws lots, certifies each task, replaces what is refused, and puts the rows into one database
 *
 * The certificate is built on the domain's goals, clauses, scripted user and expert, which are written apart from the
 * drawing: a task that was drawn wrongly is refused rather than believed.
 */

import type { z } from "zod";
import type { Table } from "../database.ts";
import type { Rng } from "../random.ts";
import type { Prompts, Split, Task, ToolSchema } from "../types.ts";

/** Knobs that every domain has. */
export interface CommonOptions {
  readonly trainTasks: number;
  readonly devTasks: number;
  readonly testTasks: number;
  /** Tasks that share one user. */
  readonly tasksPerUser: number;
}

/** How worlds of a domain are drawn. */
export interface WorldPart<O extends CommonOptions = CommonOptions> {
  /** The knobs: types, defaults and help. */
  readonly options: z.ZodType<O>;
  /** Raised when what is generated changes for the same seed and options. */
  readonly version: number;
  /** The policy that agents are told, in our own words; says what the oracle's clauses say. */
  readonly policy: string;
  readonly tools: readonly ToolSchema[];
  readonly terminatingTools: readonly string[];
  readonly prompts: Prompts;
  /** Opens the drawing of one world: draws what all users share (the store, the flights). */
  open(seed: number, options: O): WorldDraw;
}

/** The drawing of one world. */
export interface WorldDraw {
  /**
   * Settles what the tasks of a user are about, before anything else is drawn, so that weights hold whatever is
   * redrawn.
   * @param rng The lot's own stream: what one lot draws changes no other.
   */
  begin(place: LotPlace, rng: Rng): LotDraw;
  /** All tables of the world with the rows of these lots, in τ-bench's order and format. */
  tables(lots: readonly Lot[]): Map<string, Table>;
}

/** Which tasks a lot holds: those of a split from `index` on. */
export interface LotPlace {
  /** Left out for τ-bench's, as in tasks. */
  readonly benchmark?: string;
  readonly domain: string;
  readonly split: Split;
  readonly index: number;
  readonly count: number;
}

/** The drawing of one lot. */
export interface LotDraw {
  /** What the tasks are about, for the error where nothing can be drawn: `"cancel", "return"`. */
  readonly about: string;
  /** What to do about options for which nothing can be drawn. */
  readonly advice: string;
  /** Draws the tasks; `undefined` where the draw came to nothing, and another try may do. */
  draw(): Lot | undefined;
}

/** The tasks of one user, and everybody and everything that they need. */
export interface Lot {
  readonly place: LotPlace;
  /** `count` of them, indices from `index` on. Each has a goal. */
  readonly tasks: readonly Task[];
  /** The domain's own: what {@linkcode WorldDraw.tables} makes rows of. */
  readonly rows: unknown;
}
