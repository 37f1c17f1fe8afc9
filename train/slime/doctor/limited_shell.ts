/** A shell that is asked a few things at a time: sshd drops connections where many begin at once. */

import { createPool } from "../../../env/pool.ts";
import type { Shell } from "../hosts/shell.ts";

/** sshd begins to drop at ten that have not logged in yet. */
const AT_ONCE = 4;

/** The same shell, with at most `atOnce` commands under way; the others wait their turn. */
export function gently(shell: Shell, atOnce: number = AT_ONCE): Shell {
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
