/** Which clauses of policy a set of tasks puts to the test, and how. */

import { partOf } from "../domain.ts";
import { type DomainName, domainNamed } from "../domains/registry.ts";
import type { Certificate } from "./certificate/certificate.ts";

/** A clause and a tool that it binds. */
export interface Coverage {
  readonly clause: string;
  readonly tool: string;
  /** Gold writes that keep to it. */
  readonly allowed: number;
  /** Requests that it refuses. */
  readonly refused: number;
  /** Why no request can be refused by it; left out where one can, whether or not one was drawn. */
  readonly untested?: string;
}

/** Counts, a row for each clause and each tool that it binds; rows that no task touches are there with 0. */
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
