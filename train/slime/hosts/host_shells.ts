/** A host as shells: its own, and those of containers on it. */

import type { Host } from "./hosts_file.ts";
import { localShell } from "./local_shell.ts";
import type { Shell } from "./shell.ts";
import { sshShell } from "./ssh_shell.ts";

/** The shells of a host; held by `await using`. */
export interface HostShells extends AsyncDisposable {
  readonly host: Shell;
  /** The shell of a container there. @param words Run a command in it: `docker exec -i NAME`; none for the host itself. */
  within(words: readonly string[]): Shell;
}

/** Opens a host, or this machine where it is `undefined`; connects with the first command. */
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
