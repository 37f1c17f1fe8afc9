/**
 * Runs the measured code in separate processes, so that its CPU time and heap exclude those of the benchmark. Requests
 * are lines of JSON on stdin, each answered by a line on stdout.
 */

import process from "node:process";
import { linesOf } from "../env/child_process.ts";

/** The CPU time of a process, summed over its threads. */
export interface ProcessUsage {
  readonly cpuMs: number;
}

/** A separate process that runs measured code and answers requests. */
export class BenchProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  constructor(program: string, args: readonly string[]) {
    this.#child = new Deno.Command(program, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = linesOf(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /**
   * Starts a module with Deno, under `--expose-gc` so that its heap can be measured.
   * @param flags Additional V8 flags.
   */
  static ofModule(module: string, flags: readonly string[] = []): BenchProcess {
    return new BenchProcess("deno", [
      "run",
      "--no-prompt",
      "--quiet",
      `--v8-flags=${["--expose-gc", ...flags].join()}`,
      "--allow-read",
      "--allow-net=127.0.0.1",
      "--ignore-env",
      new URL(module, import.meta.url).href,
    ]);
  }

  /**
   * Sends a request and waits for its answer. Only one request may be in progress.
   * @throws {Error} If the process ends before it answers; its stderr says why.
   */
  async ask<T>(order: object): Promise<T> {
    const line = `${JSON.stringify(order)}\n`;
    await this.#writer.write(new TextEncoder().encode(line));
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("A process of the benchmark ended early");
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#child.status;
  }
}

/** Answers the requests of a {@linkcode BenchProcess} until stdin ends, then exits. */
export async function answerRequests(
  answer: (order: Record<string, unknown>) => unknown | Promise<unknown>,
): Promise<void> {
  for await (const line of linesOf(Deno.stdin.readable)) {
    console.log(JSON.stringify(await answer(JSON.parse(line))));
  }
  Deno.exit(0);
}

/** Returns the CPU time of this process. */
export function ownUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000 };
}
