/** Limits the commands that run in a shell at once: sshd drops connections when many start together. */

import { createPool } from "../../../env/pool.ts";
import type { Shell } from "../hosts/shell.ts";

/** The number of commands at once: sshd starts to drop connections when ten have not logged in yet. */
const AT_ONCE = 4;

/** Returns the same shell, limited to `atOnce` running commands. Other commands wait in order. */
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
