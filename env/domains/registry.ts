/** The registry of built-in domains and of domains that scripts register. */

import { z } from "zod";
import { DEFAULT_BENCHMARK, type Domain, keyOf } from "../domain.ts";
import { ConfigError } from "../errors.ts";
import { markExtended } from "../registry.ts";
import type { Tool } from "../tool.ts";
import type { Dataset } from "../types.ts";
import { airline } from "./airline/domain.ts";
import { retail } from "./retail/domain.ts";
import { tau3Airline } from "./tau3_airline/domain.ts";
import { tau3Retail } from "./tau3_retail/domain.ts";
import { telecom } from "./telecom/domain.ts";

const BUILT_IN = [retail, airline] as const;

/** The domains of τ³-bench. Some have the same names as domains of τ-bench. */
const OF_TAU3 = [tau3Retail, tau3Airline, telecom] as const;

/** A built-in domain of τ-bench. */
export type BuiltInDomain = typeof BUILT_IN[number];

/** The name of a built-in or registered domain. */
export type DomainName =
  | BuiltInDomain["name"]
  | (string & Record<never, never>);

/** All domains, keyed by {@linkcode domainKey}, because two benchmarks may use the same domain name. */
const domains = new Map<string, Domain>(
  [...BUILT_IN, ...OF_TAU3].map((domain) => [keyOf(domain), domain]),
);

/**
 * Returns the keys of all domains that pass the filter. Flags and recipes accept these keys: `retail`, `tau3.retail`.
 */
export function domainNames(
  isMeant: (domain: Domain) => boolean = () => true,
): string[] {
  return [...domains].flatMap(([key, domain]) => isMeant(domain) ? [key] : []);
}

/** Checks whether a domain's tasks can be stored in τ-bench's layout. The tasks of τ³-bench's domains cannot. */
export function isOfTauBench(domain: Domain): boolean {
  return domain.bundle === undefined;
}

/**
 * Registers a custom domain. Flags, recipes, datasets and records can then refer to it by name.
 * @throws {ConfigError} If the domain's benchmark already has another domain with the same name.
 */
export function registerDomain(domain: Domain): void {
  const key = keyOf(domain);
  const known = domains.get(key);
  if (known !== undefined && known !== domain) {
    throw new ConfigError(`The domain "${key}" is already registered`, {
      hint: "register the domain under another name or benchmark",
    });
  }
  domains.set(key, domain);
  markExtended();
}

/**
 * Returns the domain with the given benchmark and name. Without a benchmark, `name` is a domain's key, or a name that
 * only one benchmark uses.
 * @throws {ConfigError} If there is no such domain, or if `name` is ambiguous without a benchmark.
 */
export function domainNamed(name: DomainName, benchmark?: string): Domain {
  const domain = benchmark === undefined
    ? domains.get(name) ?? onlyOneNamed(name)
    : domains.get(keyOf({ benchmark, name }));
  if (domain !== undefined) return domain;
  const key = benchmark === undefined ? name : keyOf({ benchmark, name });
  throw new ConfigError(
    `Unknown domain "${key}"`,
    {
      hint: `use one of ${
        domainNames().map((known) => `"${known}"`).join(", ")
      }, or register the domain with registerDomain()`,
    },
  );
}

function onlyOneNamed(name: string): Domain | undefined {
  const found = [...domains.values()].filter((one) => one.name === name);
  return found.length === 1 ? found[0] : undefined;
}

/** The fields that identify a domain in datasets, tasks and records. */
export type DomainOf = Pick<Dataset, "benchmark" | "domain">;

/** Returns the key of the domain to which a dataset, task or record belongs: `retail`, `tau3.retail`. */
export function domainKey({ benchmark, domain: name }: DomainOf): string {
  return keyOf({ benchmark, name });
}

/**
 * Returns the domain to which a dataset or task belongs, with any tools that the dataset adds.
 * @throws {ConfigError} If there is no such domain.
 */
export function domainOf(
  { benchmark = DEFAULT_BENCHMARK, domain: name, ownTools }:
    & DomainOf
    & Pick<Dataset, "ownTools">,
): Domain {
  const domain = domainNamed(name, benchmark);
  if (ownTools === undefined) return domain;
  const known = extended.get(ownTools);
  if (known !== undefined) return known;
  const own = { ...domain, tools: [...domain.tools, ...ownTools] };
  extended.set(ownTools, own);
  return own;
}

/**
 * A cache of domains extended with a dataset's tools, keyed by the list of tools. The same list always yields the same
 * domain object, so other caches can use the object as a key.
 */
const extended = new WeakMap<readonly Tool[], Domain>();

/**
 * The schema of a domain name in flags, recipes and requests. It converts the name to the domain's key. Names are
 * looked up at parse time, so domains registered by a script are accepted.
 */
export const domainNameSchema = z.string().transform((name, context) => {
  const found = domains.get(name) ?? onlyOneNamed(name);
  if (found !== undefined) return keyOf(found);
  context.addIssue({
    code: "invalid_value",
    values: domainNames(),
    input: name,
  });
  return z.NEVER;
}).meta({ choices: () => domainNames() });
