/** Opens the shells of a host: the shell of the host itself, and the shells of its containers. */

import type { Host } from "./hosts_file.ts";
import { localShell } from "./local_shell.ts";
import type { Shell } from "./shell.ts";
import { sshShell } from "./ssh_shell.ts";

/** The shells of a host. Declare them with `await using`. */
export interface HostShells extends AsyncDisposable {
  readonly host: Shell;
  /**
   * Returns the shell of a container on the host.
   * @param words The prefix of commands that run in the container, such as `docker exec -i NAME`; empty for the shell
   * of the host itself.
   */
  within(words: readonly string[]): Shell;
}

/**
 * Opens the shells of a host. The connection is made by the first command.
 * @param host The host; `undefined` for this machine.
 */
export function openHost(host: Host | undefined): HostShells {
  if (host === undefined) {
    return {
      host: localShell(),
      within: localShell,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const shell = sshShell(host);
  return {
    host: shell,
    within: (words) => words.length === 0 ? shell : shell.within(words),
    [Symbol.asyncDispose]: () => shell[Symbol.asyncDispose](),
  };
}
