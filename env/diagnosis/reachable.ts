/**
 * Whether a state can still become the gold state: by the gold writes that are left, in any order, and by the
 * calls that set a row back.
 */

import { callTool } from "../call_tool.ts";
import type { Database, RowPair } from "../database.ts";
import type { Domain } from "../domain.ts";
import type { ToolAction } from "../types.ts";

/** What a search is made with. */
export interface ReachOptions {
  readonly domain: Domain;
  readonly gold: Database;
  /** Each may be used once. Those that change nothing cost little. */
  readonly writes: readonly ToolAction[];
  /** States to look at before giving up. Default: 2,000. */
  readonly maxStates?: number;
}

/** `unknown` where the search was given up. */
export type Reach = "yes" | "no" | "unknown";

/** Searches depth first, the gold order first; a state is looked at once for each set of writes that is left. */
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

  /** The state after an action; `undefined` where it changes nothing. */
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

/** Calls that could make a row what it should be, in `left`, again; whether they do is seen by trying. */
function restoresOf(
  { rows }: Domain,
  { table, id, left, right }: RowPair,
): readonly ToolAction[] {
  if (left === undefined || right === undefined) return []; // no tool deletes, and only gold writes add
  return rows?.restores?.[table]?.(left, id) ?? [];
}
