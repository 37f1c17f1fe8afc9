/** The oracle of a domain's policy: whether a call is allowed, whatever the tools say. */

import { type Domain, partOf } from "../domain.ts";
import { type Situation, type Violation, violations } from "./clause.ts";

/**
 * The clauses of policy that a call breaks; none where it is allowed. Reads are always allowed.
 * @throws {MissingPartError} If the domain has no clauses.
 */
export function policyViolations(
  domain: Domain,
  situation: Situation,
): Violation[] {
  return violations(partOf(domain, "policy").clauses, situation);
}
