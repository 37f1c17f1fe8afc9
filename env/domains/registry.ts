/** The domains there are, by name. */

import { airline } from "./airline/domain.ts";
import type { Domain } from "../domain.ts";
import { ConfigError } from "../errors.ts";
import { retail } from "./retail/domain.ts";
import type { Tool } from "../tool.ts";
import type { Dataset, DomainName } from "../types.ts";

const domains: ReadonlyMap<DomainName, Domain> = new Map([
  [retail.name, retail],
  [airline.name, airline],
]);

/** Names of the domains that this version has. */
export const domainNames: readonly DomainName[] = [...domains.keys()];

/** The domain of a name. @throws {ConfigError} If this version does not have it. */
export function domainNamed(name: DomainName): Domain {
  const domain = domains.get(name);
  if (domain === undefined) {
    throw new ConfigError(
      `The domain "${name}" is not in this version of taulab`,
      { hint: `it has ${domainNames.map((known) => `"${known}"`).join(", ")}` },
    );
  }
  return domain;
}

/**
 * The domain of a dataset, with the tools that the dataset adds to it.
 * @throws {ConfigError} If this version does not have it.
 */
export function domainOf(
  { domain: name, ownTools }: Pick<Dataset, "domain" | "ownTools">,
): Domain {
  const domain = domainNamed(name);
  if (ownTools === undefined) return domain;
  const known = extended.get(ownTools);
  if (known !== undefined) return known;
  const own = { ...domain, tools: [...domain.tools, ...ownTools] };
  extended.set(ownTools, own);
  return own;
}

/** One domain a list of tools, since what is kept of a domain is kept by its identity. */
const extended = new WeakMap<readonly Tool[], Domain>();
