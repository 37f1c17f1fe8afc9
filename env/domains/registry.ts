/** The domains there are: those of this folder, a line each, and those that a script registers. */

import { z } from "zod";
import { DEFAULT_BENCHMARK, type Domain, keyOf } from "../domain.ts";
import { ConfigError } from "../errors.ts";
import { noteExtension } from "../registry.ts";
import type { Tool } from "../tool.ts";
import type { Dataset } from "../types.ts";
import { airline } from "./airline/domain.ts";
import { retail } from "./retail/domain.ts";
import { tau3Airline } from "./tau3_airline/domain.ts";
import { tau3Retail } from "./tau3_retail/domain.ts";
import { telecom } from "./telecom/domain.ts";

const BUILT_IN = [retail, airline] as const;

/** Those of τ³-bench, whose names are the same; they have no worlds of the generator. */
const OF_TAU3 = [tau3Retail, tau3Airline, telecom] as const;

/** The type of a domain that is built in. */
export type BuiltInDomain = typeof BUILT_IN[number];

/** A domain's name: a built-in one's, or that of one that was registered. */
export type DomainName =
  | BuiltInDomain["name"]
  | (string & Record<never, never>);

/** By key: two benchmarks may each have a domain of the same name. */
const domains = new Map<string, Domain>(
  [...BUILT_IN, ...OF_TAU3].map((domain) => [keyOf(domain), domain]),
);

/** The names of all domains, or of some, as flags and recipes take them: `retail`, `tau3.retail`. */
export function domainNames(
  isMeant: (domain: Domain) => boolean = () => true,
): string[] {
  return [...domains].flatMap(([key, domain]) => isMeant(domain) ? [key] : []);
}

/** Whether a domain's tasks can be in τ-bench's layout: those of τ³-bench are not. */
export function isOfTauBench(domain: Domain): boolean {
  return domain.bundle === undefined;
}

/**
 * Adds a domain of your own, which flags, recipes, datasets and records then know by its name.
 * @throws {ConfigError} If another domain of its benchmark has its name.
 */
export function registerDomain(domain: Domain): void {
  const key = keyOf(domain);
  const known = domains.get(key);
  if (known !== undefined && known !== domain) {
    throw new ConfigError(`There is a domain "${key}" already`, {
      hint: "give yours another name, or a benchmark of its own",
    });
  }
  domains.set(key, domain);
  noteExtension();
}

/**
 * The domain of a name: its key, or its name alone where only one benchmark has it.
 * @throws {ConfigError} If there is none.
 */
export function domainNamed(name: DomainName, benchmark?: string): Domain {
  const domain = benchmark === undefined
    ? domains.get(name) ?? onlyOneNamed(name)
    : domains.get(keyOf({ benchmark, name }));
  if (domain !== undefined) return domain;
  const key = benchmark === undefined ? name : keyOf({ benchmark, name });
  throw new ConfigError(
    `The domain "${key}" is not in this version of taulab`,
    {
      hint: `it has ${
        domainNames().map((known) => `"${known}"`).join(", ")
      }; register others by registerDomain()`,
    },
  );
}

function onlyOneNamed(name: string): Domain | undefined {
  const found = [...domains.values()].filter((one) => one.name === name);
  return found.length === 1 ? found[0] : undefined;
}

/** What names a domain in datasets, tasks and records. */
export type DomainOf = Pick<Dataset, "benchmark" | "domain">;

/** The key of the domain of a dataset, task or record: `retail`, `tau3.retail`. */
export function domainKey({ benchmark, domain: name }: DomainOf): string {
  return keyOf({ benchmark, name });
}

/**
 * The domain of a dataset, with the tools that the dataset adds to it, or of a task.
 * @throws {ConfigError} If there is none.
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

/** One domain a list of tools, since what is kept of a domain is kept by its identity. */
const extended = new WeakMap<readonly Tool[], Domain>();

/**
 * A domain's name in flags, recipes and requests: any that there is when it is read. Read as its key.
 * The names are looked up late, so that a script's own domain counts.
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
