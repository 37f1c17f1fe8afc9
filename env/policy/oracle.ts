/** Implements the policy oracle, which decides whether a domain's policy allows a call, independently of the tools. */

import { type Domain, partOf } from "../domain.ts";
import { type Situation, type Violation, violations } from "./clause.ts";

/**
 * Returns the policy clauses that a call breaks. The list is empty if the call is allowed. Reads are always allowed.
 * @throws {MissingPartError} If the domain has no policy clauses.
 */
export function policyViolations(
  domain: Domain,
  situation: Situation,
): Violation[] {
  return violations(partOf(domain, "policy").clauses, situation);
}
