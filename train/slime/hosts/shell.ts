/**
 * Defines the interface for running commands, which is the same on this machine and on other hosts over ssh. Setup,
 * checks, conversion and launch use it.
 */

import { HostError } from "../../../env/errors.ts";

/** A command for a POSIX shell. */
export interface ShellCommand {
  /** The script for `sh -c`. Quote its variable parts with {@linkcode quote} or {@linkcode quoteWords}. */
  readonly script: string;
  /** Environment variables to set for the command. Their values never appear in a command line. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The text to write to the command's standard input. */
  readonly stdin?: string;
}

/** Options for {@linkcode Shell.run}. */
export interface ShellOptions {
  /** Ends the command when aborted, even on another host. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each line of output as it arrives. */
  readonly onLine?: (line: string, from: "stdout" | "stderr") => void;
}

/** The result of a command. A nonzero exit status is not an error. */
export interface ShellOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A shell that runs commands on a host. */
export interface Shell {
  /** The host's name in messages, such as `this machine` or `gpu1`. */
  readonly name: string;
  /**
   * Runs a command and waits for it to end.
   * @throws {HostError} If the host or its container cannot be reached, or the connection is lost before the command
   * ends.
   * @throws The signal's reason, once it is aborted.
   */
  run(command: ShellCommand, options?: ShellOptions): Promise<ShellOutput>;
  /**
   * Returns the command as a user would type it on this machine, such as `ssh gpu1 '…'`, without the environment
   * variables and the input.
   */
  describe(command: ShellCommand): string;
}

/**
 * Runs a command that is expected to succeed.
 * @returns Its standard output.
 * @throws {HostError} If the command fails or cannot be run. If it fails, the message contains `what`, and the standard
 * error or, if that is empty, the exit status.
 */
export async function outputOf(
  shell: Shell,
  { what, hint, signal, ...command }:
    & ShellCommand
    & Pick<ShellOptions, "signal">
    & { readonly what: string; readonly hint?: string },
): Promise<string> {
  const { code, stdout, stderr } = await shell.run(command, { signal });
  if (code === 0) return stdout;
  throw new HostError(`${what}: ${stderr.trim() || `exit status ${code}`}`, {
    hint,
  });
}

/** Quotes a word for a POSIX shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Quotes words and joins them into a command line. */
export function quoteWords(words: readonly string[]): string {
  return words.map(quote).join(" ");
}

/**
 * Quotes a path for a POSIX shell. In `~` and `~/…`, the tilde means the home directory of the user that runs the
 * command.
 */
export function pathWord(path: string): string {
  if (path === "~") return '"$HOME"';
  return path.startsWith("~/")
    ? `"$HOME"/${quote(path.slice(2))}`
    : quote(path);
}
