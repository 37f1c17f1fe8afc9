/** Runs a command in a shell that is reached through pipes: on this machine, over ssh, or in a container. */

import { HostError } from "../../../env/errors.ts";
import { BOOT, encodeCommand, type Framed, readFramed } from "./_wire.ts";
import type { ShellCommand, ShellOptions, ShellOutput } from "./shell.ts";

/** The time that a shell has to exit before its connection is cut. */
const EXIT_TIMEOUT_MS = 8_000;

/** The command that reaches a shell. */
export interface Transport {
  /** The program and its arguments that precede the shell's. */
  readonly words: readonly string[];
  /** Words that replace the default `sh -c BOOT`: ssh takes the whole command as one word. */
  readonly boot?: readonly string[];
}

/** A command without an exit status: it did not start, or was cut off. */
export interface LostCommand {
  readonly began: boolean;
  /** The contents of both output streams. */
  readonly said: string;
  /** The exit status of the local program. */
  readonly status: number;
}

/**
 * Runs a command once.
 * @returns Its output, or a description of how it was lost.
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
 * A child process that lives as long as its standard input stays open. It has its own process group, so that Ctrl-C
 * does not reach it.
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

  /** Writes to the child. Errors are ignored: a shell that has exited does not read, and its output says why. */
  write(bytes: Uint8Array<ArrayBuffer>): void {
    this.#input.write(bytes).catch(() => {});
  }

  readonly begin = (): void => {
    this.#began = true;
  };

  /** Closes the input, so that the far side ends the command. A command that has not started is killed at once. */
  readonly end = (): void => {
    this.#input.abort().catch(() => {});
    const patienceMs = this.#began ? EXIT_TIMEOUT_MS : 0;
    this.#killer ??= setTimeout(() => this.#kill(), patienceMs);
  };

  /** Stops waiting once the command is done: processes that it left running may keep its streams open. */
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
      // It ended on its own.
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
      hint: "install it",
    });
  }
}
