/** The dataset that a command line names by one word: a source of configs, or a directory. */

import { domainsIn } from "../../env/benchmarks/tau/tau_bench.ts";
import {
  type DomainName,
  domainNames,
  isOfTauBench,
} from "../../env/domains/registry.ts";
import { ConfigError } from "../../env/errors.ts";
import type { Dataset } from "../../env/types.ts";
import { dataSchema } from "./config_sections.ts";
import { openDataset } from "./open_dataset.ts";

/** What is named. */
export interface DatasetName {
  /** `generated`, `tau-bench`, `tau3-bench`, or a directory in τ-bench's layout. */
  readonly data: string;
  /** Default: the domain that the directory has, or the config's. */
  readonly env?: DomainName | undefined;
  /** Where τ-bench is, for `tau-bench`. */
  readonly tauBench?: string | undefined;
  /** Where τ³-bench is, for `tau3-bench`. */
  readonly tau3Bench?: string | undefined;
  /** Of the generated world. */
  readonly seed: number;
}

/**
 * Opens it.
 * @throws {ConfigError} If there is no such directory, or it has tasks of no domain.
 */
export async function namedDataset(
  { data, env, tauBench, tau3Bench, seed }: DatasetName,
): Promise<Dataset> {
  if (data === "tau3-bench") {
    return await openDataset(dataSchema.parse({
      source: data,
      domain: env,
      directory: tau3Bench ?? null,
    }));
  }
  const isNamed = data === "generated" || data === "tau-bench";
  return await openDataset(dataSchema.parse({
    source: data === "generated" ? data : "tau-bench",
    domain: env ?? (isNamed ? undefined : await domainIn(data)),
    directory: isNamed ? tauBench || null : data,
    worldSeed: seed,
  }));
}

async function domainIn(directory: string): Promise<DomainName> {
  const [found] = await domainsIn(directory);
  if (found !== undefined) return found;
  const names = domainNames(isOfTauBench).map((name) => `"${name}"`).join(
    " or ",
  );
  throw new ConfigError(
    `--data ${directory} is neither generated nor tau-bench, nor a directory with a world in it (${names})`,
    {
      hint:
        "name one that deno task mock or deno task import has written; one in τ³-bench's layout is named by --tau3-bench",
    },
  );
}
