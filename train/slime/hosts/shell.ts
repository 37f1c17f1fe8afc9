/**
 * Where commands run: this machine, or a host behind ssh. Setting up, checking, converting and launching are
 * written once over this seam.
 */

import { HostError } from "../../../env/errors.ts";

/** A command of a POSIX shell. */
export interface ShellCommand {
  /** A line for `sh -c`; make its words by {@linkcode quoteWords}. */
  readonly script: string;
  /** Over the host's own environment. Values never appear in a command line. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Written to its standard input. */
  readonly stdin?: string;
}

/** How to wait for a command. */
export interface ShellOptions {
  /** Ends the command, on the host too. */
  readonly signal?: AbortSignal | undefined;
  /** Each line as it comes. */
  readonly onLine?: (line: string, from: "stdout" | "stderr") => void;
}

/** How a command ended. A code other than 0 is no exception. */
export interface ShellOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A place where commands run. */
export interface Shell {
  /** How messages call it: `this machine`, `gpu1`. */
  readonly name: string;
  /**
   * Runs a command to its end.
   * @throws {HostError} If the host cannot be reached, or the connection is lost before the command ended.
   */
  run(command: ShellCommand, options?: ShellOptions): Promise<ShellOutput>;
  /** The command as a person would type it here, for plans: `ssh gpu1 '…'`. */
  describe(command: ShellCommand): string;
}

/**
 * The standard output of a command that has no reason to fail.
 * @throws {HostError} `what` with the command's last words, where it fails; and as {@linkcode Shell.run}.
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
  throw new HostError(`${what}: ${stderr.trim()}`, { hint });
}

/** A word that a POSIX shell reads as just that. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command line of these words. */
export function quoteWords(words: readonly string[]): string {
  return words.map(quote).join(" ");
}

/** A path as a shell's word; `~/` is the home of whoever runs it. */
export function pathWord(path: string): string {
  if (path === "~") return '"$HOME"';
  return path.startsWith("~/")
    ? `"$HOME"/${quote(path.slice(2))}`
    : quote(path);
}
