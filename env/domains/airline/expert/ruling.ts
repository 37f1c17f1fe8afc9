/** What policy says of a request: its clauses, applied to the call that is meant as far as is known. */

import { isWrite } from "../../../audit/finding.ts";
import { violations } from "../../../policy/clause.ts";
import type { ToolAction } from "../../../types.ts";
import { meanings } from "../goal/meanings.ts";
import { airlineClauses } from "../policy_clauses.ts";
import { type Known, knownRows, type Supposed } from "./known.ts";

/** The call that a request means, and what policy says of it. */
export interface Ruling {
  /** None where the rows that were shown do not tell. */
  readonly action?: ToolAction | undefined;
  /** The first clause that forbids it. */
  readonly refusedBy?: string | undefined;
}

/** What policy says; a refusal where the best is supposed stands whatever searches will show. */
export function rulingOn(known: Known, supposed: Supposed): Ruling {
  const { desk, request, userId } = known;
  const database = knownRows(known, supposed);
  const [action] = meanings({ request, database, userId });
  if (action === undefined) return {};
  const earlier = desk.calls.map((made) => made.action).filter(isWrite);
  const situation = { action, database, userId, earlier };
  const [broken] = violations(airlineClauses, situation);
  return { action, refusedBy: broken?.clause };
}
