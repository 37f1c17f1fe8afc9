/** Runs commands on this machine. */

import { HostError } from "../../../env/errors.ts";
import { containerFault } from "./container_fault.ts";
import { type LostCommand, runPiped } from "./_piped_shell.ts";
import { BOOT } from "./_wire.ts";
import {
  quote,
  quoteWords,
  type Shell,
  type ShellCommand,
  type ShellOptions,
  type ShellOutput,
} from "./shell.ts";

/** The name of the machine that taulab runs on, in messages, plans and records. */
export const THIS_MACHINE = "this machine";

/**
 * Creates a shell on this machine. When a command is aborted or this program exits, all processes in the command's
 * process group are terminated.
 * @param within The prefix of commands that run in a container, such as `docker exec -i NAME`. Default: empty, for
 * commands that run directly on this machine.
 */
export function localShell(within: readonly string[] = []): Shell {
  const transport = within.length === 0 ? { words: [] } : {
    words: ["sh", "-c"],
    boot: [`exec ${quoteWords([...within, "sh", "-c", BOOT])}`],
  };
  async function run(
    command: ShellCommand,
    options: ShellOptions = {},
  ): Promise<ShellOutput> {
    const result = await runPiped(transport, command, options);
    if ("code" in result) return result;
    throw localFault(command, { lost: result, within });
  }
  function describe({ script, cwd }: ShellCommand): string {
    const all = cwd === undefined ? script : `(cd ${quote(cwd)} && ${script})`;
    return within.length === 0 ? all : quoteWords([...within, "sh", "-c", all]);
  }
  return { name: THIS_MACHINE, run, describe };
}

function localFault(
  { script }: ShellCommand,
  { lost, within }: {
    readonly lost: LostCommand;
    readonly within: readonly string[];
  },
): HostError {
  const said = lost.said === "" ? "" : `\n${lost.said}`;
  const fault = containerFault(lost, within);
  if (fault) {
    const { reason, hint, isDown = false } = fault;
    return new HostError(`this machine: ${reason}${said}`, { hint, isDown });
  }
  return new HostError(
    lost.began
      ? `this machine: the command was killed: ${script}${said}`
      : `this machine: cannot start a shell${said}`,
  );
}
