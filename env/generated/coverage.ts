/** Measures how a set of tasks covers the clauses of a policy. */

import { partOf } from "../domain.ts";
import { type DomainName, domainNamed } from "../domains/registry.ts";
import type { Certificate } from "./certificate/certificate.ts";

/** How often the tasks test one clause of a policy with one tool. */
export interface Coverage {
  readonly clause: string;
  readonly tool: string;
  /** The number of gold writes with this tool. The clause allows all of them. */
  readonly allowed: number;
  /** The number of requests for this tool that are refused because of the clause. */
  readonly refused: number;
  /**
   * The reason why no generated request can break the clause. Omitted if a request can break the clause, even if no
   * such request was drawn.
   */
  readonly untested?: string;
}

/**
 * Returns the coverage of a domain's policy, with one row per clause and tool. The counts are 0 in rows that no task
 * covers.
 */
export function coverageOf(
  domain: DomainName,
  certificates: Iterable<Certificate>,
): Coverage[] {
  const allowed = new Map<string, number>();
  const refused = new Map<string, number>();
  for (const { policy } of certificates) {
    for (const tool of policy.allowed) add(allowed, tool);
    for (const { tool, clauses } of policy.refused) {
      for (const clause of clauses) add(refused, `${clause} ${tool}`);
    }
  }
  const { clauses, untested: reasons } = partOf(domainNamed(domain), "policy");
  return clauses.flatMap(({ id, tools }) => {
    const untested = reasons?.[id];
    return tools.map((tool) => ({
      clause: id,
      tool,
      allowed: allowed.get(tool) ?? 0,
      refused: refused.get(`${id} ${tool}`) ?? 0,
      ...untested !== undefined && { untested },
    }));
  });
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
