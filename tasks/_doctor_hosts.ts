/** The hosts of a slime recipe as shells. */

import { isLoopback } from "../env/serve/loopback.ts";
import { hostAddress, readHosts } from "../train/slime/hosts/hosts_file.ts";
import { localShell } from "../train/slime/hosts/local_shell.ts";
import type { Shell } from "../train/slime/hosts/shell.ts";
import { sshShell } from "../train/slime/hosts/ssh_shell.ts";
import type { ResolvedSlime } from "../train/slime/slime_config.ts";

/** Shells of a recipe's hosts, the head first; held by `await using`. */
export interface RecipeHosts extends AsyncDisposable {
  readonly shells: readonly Shell[];
  /** The recipe with the head's address as hosts.yaml has it, where the recipe leaves it at loopback. */
  readonly slime: ResolvedSlime;
}

/**
 * Opens them; connects with the first command.
 * @param file Path of hosts.yaml.
 * @throws {ConfigError} If the file is not there, or lacks a host that the recipe names.
 */
export async function openRecipeHosts(
  slime: ResolvedSlime,
  file: string,
): Promise<RecipeHosts> {
  const { config } = slime;
  const { hosts: names, address } = config.cluster;
  if (names.length === 0) {
    return {
      shells: [localShell()],
      slime,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const hosts = await readHosts(file, names);
  const stack = new AsyncDisposableStack();
  const shells = hosts.map((host) => stack.use(sshShell(host)));
  const [head] = hosts;
  const isGiven = hosts.length === 1 || !isLoopback(address);
  const cluster = isGiven
    ? config.cluster
    : { ...config.cluster, address: hostAddress(head!) };
  return {
    shells,
    slime: { ...slime, config: { ...config, cluster } },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
