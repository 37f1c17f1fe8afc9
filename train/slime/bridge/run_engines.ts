/** Where the engines of a run may be: on this machine, on the hosts that its recipe names, and where a person allows them. */

import { lookup } from "node:dns/promises";
import { ConfigError } from "../../../env/errors.ts";
import {
  EngineHosts,
  readEngineHost,
} from "../../../env/serve/engine_hosts.ts";
import type { SlimeConfig } from "../slime_schema.ts";

/**
 * The engines of a recipe.
 * @param allowed `HOST[:PORT]` of further ones.
 * @throws {ConfigError} If one of them is no such thing.
 */
export function engineHostsOf(
  config: SlimeConfig,
  allowed: readonly string[] = [],
): EngineHosts {
  const written = [...recipeEngines(config), ...allowed];
  return new EngineHosts({
    hosts: written.map((text) => {
      const host = readEngineHost(text);
      if (host !== null) return host;
      throw new ConfigError(`"${text}" is no host of an engine`, {
        hint: "write HOST or HOST:PORT, as in 10.0.0.11:3100",
      });
    }),
    ownAddresses,
    lookup: async (name) =>
      (await lookup(name, { all: true })).map(({ address }) => address),
  });
}

/** None where the process may not ask. */
function ownAddresses(): string[] {
  try {
    return Deno.networkInterfaces().map(({ address }) => address);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return [];
    throw error;
  }
}

/** The head, by the address that slime is told to use for itself too, and what the recipe allows. */
function recipeEngines({ cluster, bridge }: SlimeConfig): string[] {
  const own = cluster.env["SLIME_HOST_IP"];
  return [
    cluster.address,
    ...bridge.allowEngines,
    ...(own === undefined ? [] : [own]),
  ];
}
