/** Runs a command in a shell that is reached through pipes: here, behind ssh, in a container. */

import { HostError } from "../../../env/errors.ts";
import { BOOT, encodeCommand, type Framed, readFramed } from "./_wire.ts";
import type { ShellCommand, ShellOptions, ShellOutput } from "./shell.ts";

/** Longest wait for a shell that was told to end, before the way to it is cut. */
const PATIENCE_MS = 8_000;

/** How to reach a shell. */
export interface Transport {
  /** The program and its arguments before the shell's. */
  readonly words: readonly string[];
  /** Further words, where `sh -c BOOT` is not what is added: ssh takes one word for all. */
  readonly boot?: readonly string[];
}

/** A command without an exit status: it did not begin, or was cut off. */
export interface Lost {
  readonly began: boolean;
  /** What was said instead, on both streams. */
  readonly said: string;
  /** The exit code of the program that was started here. */
  readonly status: number;
}

/** Runs a command once. @returns Its output, or how it was lost. @throws The signal's reason. */
export async function runPiped(
  transport: Transport,
  command: ShellCommand,
  { signal, onLine }: ShellOptions,
): Promise<ShellOutput | Lost> {
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

function lost(out: Framed, err: Framed): Omit<Lost, "status"> {
  const said = [err.before, err.text, out.before].map((text) => text.trim())
    .filter((text) => text !== "").join("\n");
  return { began: err.began || out.began, said };
}

/** A child with its input as its lifeline: in a process group of its own, so that Ctrl-C here does not reach it. */
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

  /** A shell that has gone does not read; what it said on going is what counts. */
  write(bytes: Uint8Array<ArrayBuffer>): void {
    this.#input.write(bytes).catch(() => {});
  }

  readonly begin = (): void => {
    this.#began = true;
  };

  /** Cuts the lifeline; the far side ends the command. What has not begun is not waited for. */
  readonly end = (): void => {
    this.#input.abort().catch(() => {});
    const patienceMs = this.#began ? PATIENCE_MS : 0;
    this.#killer ??= setTimeout(() => this.#kill(), patienceMs);
  };

  /** The command is done; what it left running may hold its streams, and is not waited for. */
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
      // it ended by itself
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
    throw new HostError(`"${program}" is not on PATH here`, {
      cause: error,
      hint: "install it",
    });
  }
}
