/** The domains whose goals can be read as calls. */

import { airlineGoals } from "../domains/airline/goal/airline_goals.ts";
import { ConfigError } from "../errors.ts";
import { retailGoals } from "../domains/retail/goal/retail_goals.ts";
import type { DomainName } from "../types.ts";
import type { GoalDomain } from "./goal_domain.ts";

const domains: Readonly<Partial<Record<DomainName, GoalDomain>>> = {
  retail: retailGoals,
  airline: airlineGoals,
};

/** What a domain says of goals. @throws {ConfigError} If this version cannot read goals of it. */
export function goalDomain(name: DomainName): GoalDomain {
  const domain = domains[name];
  if (domain !== undefined) return domain;
  throw new ConfigError(
    `Goals of the domain "${name}" cannot be read in this version`,
  );
}
