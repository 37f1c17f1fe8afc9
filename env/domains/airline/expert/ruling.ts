/**
 * Finds the call that fulfills a request and checks it against the policy's clauses, using only the rows that the
 * expert knows.
 */

import { isWrite } from "../../../audit/finding.ts";
import { violations } from "../../../policy/clause.ts";
import type { ToolAction } from "../../../types.ts";
import { fulfillingCalls } from "../goal/fulfilling_calls.ts";
import { airlineClauses } from "../policy_clauses.ts";
import { type Assumption, type KnownRequest, knownRows } from "./known.ts";

/** The call that fulfills a request, and the clause that forbids it, if any. */
export interface Ruling {
  /** The call; `undefined` if no call fulfills the request in the rows that the expert knows. */
  readonly action?: ToolAction | undefined;
  /** The id of the first clause that forbids the call; `undefined` if policy allows it. */
  readonly refusedBy?: string | undefined;
}

/**
 * Decides whether policy allows a request. A refusal under the assumption `best` is final, because no search can show
 * anything better than what is assumed.
 */
export function rulingOn(known: KnownRequest, assumption: Assumption): Ruling {
  const { desk, request, userId } = known;
  const database = knownRows(known, assumption);
  const [action] = fulfillingCalls({ request, database, userId });
  if (action === undefined) return {};
  const earlier = desk.calls.map((made) => made.action).filter(isWrite);
  const situation = { action, database, userId, earlier };
  const [broken] = violations(airlineClauses, situation);
  return { action, refusedBy: broken?.clause };
}
