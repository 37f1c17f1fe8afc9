/** Opens a dataset by its name on the command line: a `data.source`, or a directory. */

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

/** A dataset's name, with the flags that locate it. */
export interface DatasetName {
  /** The name: `generated`, `tau-bench`, `tau3-bench`, or a directory in τ-bench's layout. */
  readonly data: string;
  /** The domain. Default: the domain found in the directory, or the default config's domain for a named dataset. */
  readonly env?: DomainName | undefined;
  /** The directory of τ-bench, for `tau-bench`. */
  readonly tauBench?: string | undefined;
  /** The directory of τ³-bench, for `tau3-bench`. */
  readonly tau3Bench?: string | undefined;
  /** The seed of the generated world. */
  readonly seed: number;
}

/**
 * Opens the named dataset.
 * @throws {ConfigError} If the directory does not exist or contains no known domain.
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
    `--data must be generated, tau-bench, tau3-bench or a directory that contains a domain (${names}), but it is "${directory}"`,
    {
      hint:
        "pass a directory written by deno task mock or deno task import, or pass τ³-bench's directory as --tau3-bench DIR",
    },
  );
}
