/** A shell that is asked a few things at a time: sshd drops connections where many begin at once. */

import type { Shell } from "../hosts/shell.ts";

/** sshd begins to drop at ten that have not logged in yet. */
const AT_ONCE = 4;

/** The same shell, with at most `atOnce` commands under way; the others wait their turn. */
export function gently(shell: Shell, atOnce: number = AT_ONCE): Shell {
  let free = atOnce;
  const waiting: (() => void)[] = [];
  async function enter(): Promise<void> {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }
  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }
  return {
    name: shell.name,
    describe: (command) => shell.describe(command),
    async run(command, options = {}) {
      await enter();
      try {
        options.signal?.throwIfAborted();
        return await shell.run(command, options);
      } finally {
        leave();
      }
    },
  };
}
