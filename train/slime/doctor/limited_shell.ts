/** Limits how many commands run in a shell at once. sshd drops connections if too many start at the same time. */

import { createPool } from "../../../env/pool.ts";
import type { Shell } from "../hosts/shell.ts";

/** The default limit. By default, sshd starts to drop connections when ten are not authenticated yet. */
const AT_ONCE = 4;

/** Returns a shell that runs at most `atOnce` commands at once. Other commands wait in the order of their calls. */
export function limitedShell(shell: Shell, atOnce: number = AT_ONCE): Shell {
  const pool = createPool(atOnce);
  return {
    name: shell.name,
    describe: (command) => shell.describe(command),
    run: (command, options = {}) =>
      pool(async () => {
        options.signal?.throwIfAborted();
        return await shell.run(command, options);
      }),
  };
}
