/** The oracle of a domain's policy: whether a call is allowed, whatever the tools say. */

import { airlineClauses } from "../domains/airline/policy_clauses.ts";
import { retailClauses } from "../domains/retail/policy_clauses.ts";
import type { DomainName } from "../types.ts";
import {
  type Clause,
  type Situation,
  type Violation,
  violations,
} from "./clause.ts";

export type { Clause, Situation, Violation } from "./clause.ts";

/** The clauses of each domain. */
export const CLAUSES: Readonly<Record<DomainName, readonly Clause[]>> = {
  retail: retailClauses,
  airline: airlineClauses,
};

/** The clauses of policy that a call breaks; none where it is allowed. Reads are always allowed. */
export function policyViolations(
  domain: DomainName,
  situation: Situation,
): Violation[] {
  return violations(CLAUSES[domain], situation);
}
