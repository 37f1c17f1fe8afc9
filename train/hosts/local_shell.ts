/**
 * Commands on this machine.
 *
 * @module
 */

import { HostError } from "../../env/errors.ts";
import { runPiped } from "./_piped_shell.ts";
import type {
  Shell,
  ShellCommand,
  ShellOptions,
  ShellOutput,
} from "./shell.ts";

/** The shell of this machine. A command ends with all that it started, when aborted and when this program dies. */
export function localShell(): Shell {
  return { name: "this machine", run, describe };
}

async function run(
  command: ShellCommand,
  options: ShellOptions = {},
): Promise<ShellOutput> {
  const result = await runPiped({ words: [] }, command, options);
  if ("code" in result) return result;
  throw new HostError(
    `A command on this machine was killed before it ended: ${command.script}${
      result.said === "" ? "" : `\n${result.said}`
    }`,
  );
}

function describe({ script, cwd }: ShellCommand): string {
  return cwd === undefined ? script : `(cd ${cwd} && ${script})`;
}
