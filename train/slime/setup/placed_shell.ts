/**
 * Provides a shell in the place where a host's commands run: the place set in hosts.yaml, else the place in setup's
 * manifest, else the host itself.
 */

import type { CallOptions } from "../../../env/types.ts";
import type { HostShells } from "../hosts/host_shells.ts";
import { type Host, placeOf } from "../hosts/hosts_file.ts";
import { HOST_ITSELF, type Place, shellAt } from "../hosts/place.ts";
import type { Shell } from "../hosts/shell.ts";
import { type HostTaulab, hostTaulab, SETUP_DIR } from "./host_taulab.ts";
import { readManifest } from "./setup_session.ts";

/**
 * A shell in the place where a host's commands run. If hosts.yaml does not set the place, it is looked up when it is
 * first needed.
 */
export interface PlacedShell extends Shell {
  /** The shell of the host itself, outside any container. */
  readonly outside: Shell;
  /** The paths of taulab, Deno and the benchmarks on the host. */
  readonly taulab: HostTaulab;
  /**
   * Returns the place where the shell's commands run.
   * @throws {HostError} If the host cannot be reached.
   * @throws {DataError} If the manifest is damaged.
   */
  place(options?: CallOptions): Promise<Place>;
}

/**
 * Opens the shell of a host.
 * @param host The entry in hosts.yaml. It may be missing for this machine.
 */
export function placedShell(
  shells: HostShells,
  host: Host | undefined,
): PlacedShell {
  const { host: outside } = shells;
  let found: Promise<Place> | undefined;
  let known = placeOf(host);
  async function place(options: CallOptions = {}): Promise<Place> {
    if (known !== undefined) return known;
    // Concurrent callers share one lookup. If it fails, the next call repeats it.
    found ??= setUpPlace(outside, { host, ...options });
    return known = await found.finally(() => found = undefined);
  }
  return {
    name: outside.name,
    outside,
    taulab: hostTaulab(host?.dir),
    place,
    async run(command, options = {}) {
      const shell = shellAt(shells, await place(options));
      return await shell.run(command, options);
    },
    describe: (command) =>
      shellAt(shells, known ?? HOST_ITSELF).describe(command),
  };
}

async function setUpPlace(
  shell: Shell,
  { host, signal }: CallOptions & { readonly host: Host | undefined },
): Promise<Place> {
  const manifest = await readManifest(shell, {
    dir: host?.dir ?? SETUP_DIR,
    name: shell.name,
    signal,
  });
  return manifest.place ?? HOST_ITSELF;
}
