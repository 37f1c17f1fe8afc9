/**
 * The seam between the generator and a domain: what a domain must provide so that worlds of it are drawn, and every
 * task of them certified.
 *
 *     GeneratedDomain.open(seed, options) ─▶ WorldDraw.begin(place) ─▶ Lot (tasks of one customer, and their rows)
 *                                                                       │
 *     Factory: draws lots, certifies each task, replaces what is refused, and puts the rows into one database
 *
 * A domain provides, besides its handlers (`env/<domain>/domain.ts`) and its oracle (`policy_clauses.ts`):
 *
 * - here, in `generated/<domain>/`: the rows, the drawing of tasks, the knobs, policy text and prompts;
 * - in `env/<domain>/goal/`: what a goal means as calls, see {@linkcode GoalDomain}. The certificate is built on it, and
 *   it is written apart from the drawing, so that a task that was drawn wrongly is refused rather than believed.
 *
 * The scripted customer and the expert play goals of every domain; what they say of one is in `env/users/` and
 * `env/agents/`.
 */

import type { Table } from "../database.ts";
import type { Rng } from "../random.ts";
import type { DomainName, Prompts, Split, Task, ToolSchema } from "../types.ts";

/** Knobs that every domain has. */
export interface CommonOptions {
  readonly trainTasks: number;
  readonly devTasks: number;
  readonly testTasks: number;
  /** Tasks that share one customer. */
  readonly tasksPerUser: number;
}

/** A domain whose worlds can be generated. */
export interface GeneratedDomain<O extends CommonOptions = CommonOptions> {
  readonly name: DomainName;
  /** Raised when what is generated changes for the same seed and options. */
  readonly version: number;
  /** The policy that agents are told, in our own words; says what the oracle's clauses say. */
  readonly policy: string;
  readonly tools: readonly ToolSchema[];
  readonly terminatingTools: readonly string[];
  readonly prompts: Prompts;
  /** Opens the drawing of one world: draws what all customers share (the store, the flights). */
  open(seed: number, options: O): WorldDraw;
}

/** The drawing of one world. */
export interface WorldDraw {
  /**
   * Settles what the tasks of a customer are about, before anything else is drawn, so that weights hold whatever is
   * redrawn.
   * @param rng The lot's own stream: what one lot draws changes no other.
   */
  begin(place: LotPlace, rng: Rng): LotDraw;
  /** All tables of the world with the rows of these lots, in τ-bench's order and format. */
  tables(lots: readonly Lot[]): Map<string, Table>;
}

/** Which tasks a lot holds: those of a split from `index` on. */
export interface LotPlace {
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

/** The tasks of one customer, and everybody and everything that they need. */
export interface Lot {
  readonly place: LotPlace;
  /** `count` of them, indices from `index` on. Each has a goal. */
  readonly tasks: readonly Task[];
  /** The domain's own: what {@linkcode WorldDraw.tables} makes rows of. */
  readonly rows: unknown;
}
