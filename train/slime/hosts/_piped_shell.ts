/** Runs a command in a shell that is connected by pipes: on this machine, over ssh, or in a container. */

import { HostError } from "../../../env/errors.ts";
import { BOOT, encodeCommand, type Framed, readFramed } from "./_wire.ts";
import type { ShellCommand, ShellOptions, ShellOutput } from "./shell.ts";

/** The time in milliseconds from closing the child's standard input to killing the child if it has not exited. */
const EXIT_TIMEOUT_MS = 8_000;

/** The local command that connects to a shell. */
export interface Transport {
  /** The program that connects to the shell, and its arguments; empty if no connection is needed. */
  readonly words: readonly string[];
  /**
   * The command that starts the shell, appended to `words`. Default: `sh -c BOOT`. ssh needs another value, because it
   * takes the whole command as one argument.
   */
  readonly boot?: readonly string[];
}

/** A command without an exit status, because it did not start or was interrupted. */
export interface LostCommand {
  readonly began: boolean;
  /** The text that was written to standard error, and to standard output before the command started. */
  readonly said: string;
  /** The exit status of the local program that connects to the shell, such as `ssh`. */
  readonly status: number;
}

/**
 * Runs a command once.
 * @returns Its output, or a description of how the command was lost.
 * @throws {HostError} If the program that connects to the shell is not installed.
 * @throws The signal's reason, once it is aborted.
 */
export async function runPiped(
  transport: Transport,
  command: ShellCommand,
  { signal, onLine }: ShellOptions,
): Promise<ShellOutput | LostCommand> {
  signal?.throwIfAborted();
  const nonce = crypto.randomUUID();
  const input = encodeCommand(command, nonce);
  await using child = new Piped(transport);
  signal?.addEventListener("abort", child.end, { once: true });
  try {
    child.write(input);
    const read = (from: "stdout" | "stderr") =>
      readFramed(child[from], {
        nonce,
        onBegin: child.begin,
        onLine: onLine && ((line) => onLine(line, from)),
      });
    const [out, err] = await Promise.all([read("stdout"), read("stderr")]);
    signal?.throwIfAborted();
    const code = err.code ?? out.code;
    if (code !== undefined) {
      child.leave();
      return { code, stdout: out.text, stderr: err.text };
    }
    return { ...lost(out, err), status: await child.exited() };
  } finally {
    signal?.removeEventListener("abort", child.end);
  }
}

function lost(out: Framed, err: Framed): Omit<LostCommand, "status"> {
  const said = [err.before, err.text, out.before].map((text) => text.trim())
    .filter((text) => text !== "").join("\n");
  return { began: err.began || out.began, said };
}

/**
 * A child process whose command is ended when the child's standard input is closed. It runs in a separate process
 * group, so Ctrl-C does not reach it.
 */
class Piped implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #began = false;
  #killer: ReturnType<typeof setTimeout> | undefined;

  constructor({ words, boot = ["sh", "-c", BOOT] }: Transport) {
    const [program, ...args] = [...words, ...boot] as [string, ...string[]];
    this.#child = spawn(program, args);
    this.#input = this.#child.stdin.getWriter();
  }

  get stdout() {
    return this.#child.stdout;
  }

  get stderr() {
    return this.#child.stderr;
  }

  /**
   * Writes to the child's standard input. Errors are ignored: a shell that has exited reads nothing, and its output
   * says why it exited.
   */
  write(bytes: Uint8Array<ArrayBuffer>): void {
    this.#input.write(bytes).catch(() => {});
  }

  readonly begin = (): void => {
    this.#began = true;
  };

  /**
   * Closes the child's standard input, which ends the command on the other side. The child is killed if it does not
   * exit in time, or at once if the command has not started yet.
   */
  readonly end = (): void => {
    this.#input.abort().catch(() => {});
    const patienceMs = this.#began ? EXIT_TIMEOUT_MS : 0;
    this.#killer ??= setTimeout(() => this.#kill(), patienceMs);
  };

  /**
   * Kills the child if it is still running shortly after the command has ended. Processes that the command left running
   * may keep its streams open.
   */
  leave(): void {
    this.#killer ??= setTimeout(() => this.#kill(), 500);
  }

  async exited(): Promise<number> {
    return (await this.#child.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    await this.#child.status;
    clearTimeout(this.#killer);
  }

  #kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // The process has already exited.
    }
  }
}

function spawn(program: string, args: string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new HostError(`"${program}" is not on this machine's PATH`, {
      cause: error,
      hint: `install "${program}", or add its directory to PATH`,
    });
  }
}
