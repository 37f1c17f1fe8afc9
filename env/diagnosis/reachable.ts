/**
 * Checks whether a state can still become the gold state through the remaining gold writes, in any order, and calls
 * that restore rows.
 */

import { callTool } from "../call_tool.ts";
import type { Database, RowPair } from "../database.ts";
import type { Domain } from "../domain.ts";
import type { ToolAction } from "../types.ts";

/** Options for {@linkcode canReach}. */
export interface ReachOptions {
  readonly domain: Domain;
  readonly gold: Database;
  /** The writes to try, each at most once. */
  readonly writes: readonly ToolAction[];
  /** The maximum number of states to examine. Default: 2,000. */
  readonly maxStates?: number;
}

/** The result of a search; `unknown` if it exceeded its limit. */
export type Reach = "yes" | "no" | "unknown";

/**
 * Searches depth-first for a way to reach the gold state, starting with the gold order of the writes. Each state is
 * examined only once per set of remaining writes.
 */
export function canReach(database: Database, options: ReachOptions): Reach {
  const search = new Search(options);
  const found = search.from(database, options.writes.map((_, i) => i));
  if (found) return "yes";
  return search.gaveUp ? "unknown" : "no";
}

class Search {
  readonly #options: ReachOptions;
  readonly #seen = new Set<string>();
  #left: number;

  constructor(options: ReachOptions) {
    this.#options = options;
    this.#left = options.maxStates ?? 2000;
  }

  get gaveUp(): boolean {
    return this.#left <= 0;
  }

  from(database: Database, unused: readonly number[]): boolean {
    const { gold, writes, domain } = this.#options;
    const wrong = gold.diff(database);
    if (wrong.length === 0) return true;
    if (!this.#isNew(database, unused)) return false;
    for (const index of unused) {
      const next = this.#after(database, writes[index]);
      const rest = unused.filter((other) => other !== index);
      if (next !== undefined && this.from(next, rest)) return true;
    }
    return wrong.flatMap((row) => restoresOf(domain, row)).some(
      (action) => {
        const next = this.#after(database, action);
        return next !== undefined && this.from(next, unused);
      },
    );
  }

  #isNew(database: Database, unused: readonly number[]): boolean {
    if (this.#left-- <= 0) return false;
    const key = `${unused.join()}|${database.changesText()}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  /** Returns the state after an action, or `undefined` if the action changes nothing. */
  #after(
    database: Database,
    action: ToolAction | undefined,
  ): Database | undefined {
    if (action === undefined) return undefined;
    const next = database.fork();
    callTool(this.#options.domain, next, action);
    return next.diff(database).length === 0 ? undefined : next;
  }
}

/** Returns calls that may restore a row to its expected value, `left`. The search finds out whether they do. */
function restoresOf(
  { rows }: Domain,
  { table, id, left, right }: RowPair,
): readonly ToolAction[] {
  if (left === undefined || right === undefined) return []; // no tool deletes, and only gold writes add
  return rows?.restores?.[table]?.(left, id) ?? [];
}
