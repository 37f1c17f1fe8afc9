/**
 * Part 4: one right final state. What the user's words mean is read off the goal, without a look at the gold; every
 * way to meet all requests that tools and policy allow, in every order, ends where the gold does.
 */

import { callTool, isErrorAnswer } from "../../call_tool.ts";
import type { Database } from "../../database.ts";
import { policyViolations } from "../../policy/oracle.ts";
import { needsWrite, type Request } from "../../domains/shared/goal/goal.ts";
import type { ToolAction } from "../../types.ts";
import { Refusal, type Subject, textOf } from "./subject.ts";

/** The ways that were tried. */
export interface UniqueEvidence {
  /** Sequences of calls that end where the gold does. */
  readonly ways: number;
  /** Calls that fit the words and that tools or policy do not allow. */
  readonly barred: number;
}

/** Tries all ways. */
export function uniquePart(subject: Subject): UniqueEvidence | Refusal {
  const search = new Search(subject);
  const other = search.from(subject.dataset.database.fork(), {
    open: subject.goal.requests.filter(needsWrite),
    made: [],
  });
  if (other !== undefined) {
    return new Refusal("unique", {
      reason: "the words also mean something else than the gold",
      evidence: other.map(textOf).join("; "),
    });
  }
  const { ways, barred } = search;
  return ways > 0 ? { ways, barred } : new Refusal("unique", {
    reason: "no call that is allowed meets the words",
    evidence: `${barred} calls fit and are barred`,
  });
}

/** The row that a call names, by its first argument. */
function rowOf({ arguments: args }: ToolAction): string {
  return String(args.values().next().value);
}

interface Place {
  readonly open: readonly Request[];
  readonly made: readonly ToolAction[];
}

class Search {
  readonly #subject: Subject;
  /** What came of each place that has been left without a find: orders of requests lead to the same ones. */
  readonly #seen = new Map<string, UniqueEvidence>();
  ways = 0;
  barred = 0;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** Goes on from a state. @returns A sequence that ends elsewhere than the gold. */
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

  /** The state, what is open, and what policy may look back at: the calls, in their order for each row. */
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

  /** Every call that the request may mean, and what can follow it. */
  #each(
    request: Request,
    database: Database,
    { open, made }: Place,
  ): readonly ToolAction[] | undefined {
    const { goals, task: { userId } } = this.#subject;
    for (const action of goals.meanings({ request, database, userId })) {
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

  /** The state after a call; `undefined` where policy or the tool does not allow it. */
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
