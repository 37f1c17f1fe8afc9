/** The shells of a host that is set up. */

import { localShell } from "../hosts/local_shell.ts";
import { sshShell } from "../hosts/ssh_shell.ts";
import type { HostPlan } from "./setup_plan.ts";
import type { HostShells } from "./setup_session.ts";

/** This machine's, or a host's behind ssh. */
export function connectHost({ host }: HostPlan): HostShells {
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
