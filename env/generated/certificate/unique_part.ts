/**
 * Part 4: the final state is unique. The calls that may fulfill the user's requests are derived from the goal alone,
 * without the gold actions. Every sequence of calls that fulfills all requests in any order, and that the tools and the
 * policy allow, must end in the gold state.
 */

import { callTool, isErrorAnswer } from "../../call_tool.ts";
import type { Database } from "../../database.ts";
import { policyViolations } from "../../policy/oracle.ts";
import { needsWrite, type Request } from "../../domains/shared/goal/goal.ts";
import type { ToolAction } from "../../types.ts";
import { Rejection, type Subject, textOf } from "./subject.ts";

/** The numbers of call sequences and calls that were tried. */
export interface UniqueEvidence {
  /** The number of allowed call sequences. All of them end in the gold state. */
  readonly ways: number;
  /** The number of calls that match a request but are not allowed by the tools or the policy. */
  readonly barred: number;
}

/** Checks that all call sequences that fulfill the requests end in the gold state. */
export function uniquePart(subject: Subject): UniqueEvidence | Rejection {
  const search = new Search(subject);
  const other = search.from(subject.dataset.database.fork(), {
    open: subject.goal.requests.filter(needsWrite),
    made: [],
  });
  if (other !== undefined) {
    return new Rejection("unique", {
      reason: "the instruction also allows another final state",
      evidence: other.map(textOf).join("; "),
    });
  }
  const { ways, barred } = search;
  return ways > 0 ? { ways, barred } : new Rejection("unique", {
    reason: "no allowed call fulfills the request",
    evidence: `number of matching calls: ${barred}; none is allowed`,
  });
}

/** Returns the id of the row that a call names: its first argument. */
function rowOf({ arguments: args }: ToolAction): string {
  return String(args.values().next().value);
}

interface Place {
  readonly open: readonly Request[];
  readonly made: readonly ToolAction[];
}

class Search {
  readonly #subject: Subject;
  /**
   * The counts for each node that has been searched completely, keyed by the result of `#keyOf`. A node is searched
   * only once, although several orders of the requests can lead to it.
   */
  readonly #seen = new Map<string, UniqueEvidence>();
  ways = 0;
  barred = 0;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /**
   * Continues the search from a node: a database state, the open requests, and the calls made so far.
   * @returns The first call sequence found that does not end in the gold state; `undefined` if there is none.
   */
  from(
    database: Database,
    { open, made }: Place,
  ): readonly ToolAction[] | undefined {
    if (open.length === 0) {
      if (this.#subject.gold.diff(database).length > 0) return made;
      this.ways++;
      return undefined;
    }
    const key = this.#keyOf(database, { open, made });
    const known = this.#seen.get(key);
    if (known !== undefined) {
      this.ways += known.ways;
      this.barred += known.barred;
      return undefined;
    }
    const { ways, barred } = this;
    for (const [i, request] of open.entries()) {
      const rest = open.filter((_, j) => j !== i);
      const found = this.#each(request, database, { open: rest, made });
      if (found !== undefined) return found;
    }
    this.#seen.set(key, {
      ways: this.ways - ways,
      barred: this.barred - barred,
    });
    return undefined;
  }

  /**
   * Returns the key of a search node: the open requests, the previous calls for each row, and the changes to the
   * database. The previous calls are included because the policy may depend on them.
   */
  #keyOf(database: Database, { open, made }: Place): string {
    const { requests } = this.#subject.goal;
    const calls = Map.groupBy(made, rowOf).entries()
      .map(([row, ofRow]) => `${row}: ${ofRow.map(textOf).join("; ")}`);
    return [
      open.map((request) => requests.indexOf(request)).join(),
      ...[...calls].sort(),
      database.changesText(),
    ].join("\n");
  }

  /**
   * Tries all calls that may fulfill the request, and continues the search after each allowed call.
   * @returns The first call sequence found that does not end in the gold state; `undefined` if there is none.
   */
  #each(
    request: Request,
    database: Database,
    { open, made }: Place,
  ): readonly ToolAction[] | undefined {
    const { goals, task: { userId } } = this.#subject;
    for (const action of goals.fulfillingCalls({ request, database, userId })) {
      const next = this.#after(action, database, made);
      if (next === undefined) {
        this.barred++;
        continue;
      }
      const other = this.from(next, { open, made: [...made, action] });
      if (other !== undefined) return other;
    }
    return undefined;
  }

  /** Returns the state after a call, or `undefined` if the policy or the tool does not allow the call. */
  #after(
    action: ToolAction,
    database: Database,
    earlier: readonly ToolAction[],
  ): Database | undefined {
    const { domain, task: { userId } } = this.#subject;
    const broken = policyViolations(domain, {
      action,
      database,
      userId,
      earlier,
    });
    if (broken.length > 0) return undefined;
    const next = database.fork();
    return isErrorAnswer(callTool(domain, next, action)) ? undefined : next;
  }
}
