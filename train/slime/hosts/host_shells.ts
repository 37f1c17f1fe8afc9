/** The shells of a host: its own, and those of its containers. */

import type { Host } from "./hosts_file.ts";
import { localShell } from "./local_shell.ts";
import type { Shell } from "./shell.ts";
import { sshShell } from "./ssh_shell.ts";

/** The shells of a host. Hold them with `await using`. */
export interface HostShells extends AsyncDisposable {
  readonly host: Shell;
  /**
   * Returns the shell of a container on the host.
   * @param words The prefix of commands that run in it: `docker exec -i NAME`; empty for the host's own shell.
   */
  within(words: readonly string[]): Shell;
}

/** Opens the shells of a host, or of this machine if it is `undefined`. Connects with the first command. */
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
