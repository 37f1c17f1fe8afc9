/**
 * Determines which engines a run may use: engines on this machine, on the head, and at the addresses that the recipe or
 * the user allows.
 */

import { lookup } from "node:dns/promises";
import { ConfigError } from "../../../env/errors.ts";
import {
  EngineHosts,
  readEngineHost,
} from "../../../env/serve/engine_hosts.ts";
import type { SlimeConfig } from "../slime_schema.ts";

/**
 * Returns the hosts on which a run may use engines: this machine, the hosts that the recipe names, and additional
 * hosts.
 * @param allowed The `HOST[:PORT]` of each additional engine.
 * @throws {ConfigError} If an address in the recipe or in `allowed` is not `HOST[:PORT]`.
 */
export function engineHostsOf(
  config: SlimeConfig,
  allowed: readonly string[] = [],
): EngineHosts {
  const written = [
    ...recipeEngines(config),
    ...allowed.map((text) => ({ text, key: "--allow-engine" })),
  ];
  return new EngineHosts({
    hosts: written.map(({ text, key }) => {
      const host = readEngineHost(text);
      if (host !== null) return host;
      throw new ConfigError(
        `The address of an engine must be HOST or HOST:PORT, but it is "${text}"`,
        { hint: `correct it in ${key}, as in 10.0.0.11:3100` },
      );
    }),
    ownAddresses,
    lookup: async (name) =>
      (await lookup(name, { all: true })).map(({ address }) => address),
  });
}

/** Returns this machine's addresses, or an empty array without the permission to read them. */
function ownAddresses(): string[] {
  try {
    return Deno.networkInterfaces().map(({ address }) => address);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return [];
    throw error;
  }
}

/**
 * Returns the engine hosts that a recipe names: the head, the address in `SLIME_HOST_IP` if it is set, and the hosts in
 * `bridge.allowEngines`.
 */
function recipeEngines(
  { cluster, bridge }: SlimeConfig,
): { readonly text: string; readonly key: string }[] {
  const own = cluster.env["SLIME_HOST_IP"];
  return [
    { text: cluster.address, key: "cluster.address" },
    ...bridge.allowEngines.map((text) => ({
      text,
      key: "bridge.allowEngines",
    })),
    ...(own === undefined
      ? []
      : [{ text: own, key: "SLIME_HOST_IP of cluster.env" }]),
  ];
}
