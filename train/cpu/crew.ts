/**
 * The worker threads of an engine. They compute on shared memory and leave the host's thread free for the environments
 * and for Ctrl-C. Idle workers sleep.
 */

import { PolicyError } from "../../env/errors.ts";
import {
  BLOCK_BYTES,
  type Command,
  COMMANDS,
  FIELD,
  TEXT_OFFSET,
  type WorkerStart,
} from "./crew_protocol.ts";
import type { SharedHeap } from "./memory.ts";

/** A fixed number of threads that run kernels. */
export class Crew {
  readonly #heap: SharedHeap;
  readonly #workers: Worker[] = [];
  readonly #blocks: number[] = [];
  readonly #deaths: Promise<never>[] = [];
  #closed = false;

  private constructor(heap: SharedHeap) {
    this.#heap = heap;
  }

  /** Starts a crew of `threads` workers, and waits until all of them are ready. */
  static async start(
    options: {
      heap: SharedHeap;
      module: WebAssembly.Module;
      threads: number;
    },
  ): Promise<Crew> {
    const crew = new Crew(options.heap);
    const ready: Promise<void>[] = [];
    for (let i = 0; i < options.threads; i++) {
      ready.push(crew.#hire(options.module));
    }
    await Promise.all(ready);
    return crew;
  }

  /** The number of threads. */
  get size(): number {
    return this.#workers.length;
  }

  /**
   * Runs a kernel on several workers at once. The i-th worker runs it with `args[i]`; workers without arguments stay
   * idle. Only one command may run at a time: await a command before you start the next.
   * @throws {PolicyError} If a kernel traps, a worker dies or the crew is closed.
   */
  async run(
    command: Command,
    args: readonly (readonly number[])[],
  ): Promise<void> {
    if (this.#closed) {
      throw new PolicyError("Cannot compute: the policy is closed");
    }
    args.forEach((list, i) => this.#tell(i, command, list));
    const done = Promise.all(args.map((_, i) => this.#finished(i)));
    await Promise.race([done, ...this.#deaths]);
  }

  /** Terminates the workers. No command may be running. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#blocks.forEach((_, i) => this.#tell(i, "exit", []));
  }

  #fields(worker: number): Int32Array {
    const start = this.#blocks[worker]! / 4;
    return this.#heap.ints.subarray(start, start + TEXT_OFFSET / 4);
  }

  #tell(
    worker: number,
    command: typeof COMMANDS[number],
    args: readonly number[],
  ): void {
    const fields = this.#fields(worker);
    fields[FIELD.command] = COMMANDS.indexOf(command);
    fields.set(args, FIELD.argument);
    Atomics.add(fields, FIELD.go, 1);
    Atomics.notify(fields, FIELD.go);
  }

  async #finished(worker: number): Promise<void> {
    const fields = this.#fields(worker);
    const go = Atomics.load(fields, FIELD.go);
    for (;;) {
      const done = Atomics.load(fields, FIELD.done);
      if (done === go) break;
      const wait = Atomics.waitAsync(fields, FIELD.done, done);
      if (wait.async) await wait.value;
    }
    if (fields[FIELD.failed] !== 0) throw this.#failure(worker);
  }

  #failure(worker: number): PolicyError {
    const start = this.#blocks[worker]! + TEXT_OFFSET;
    const length = this.#fields(worker)[FIELD.failed]!;
    const text = new TextDecoder().decode(
      this.#heap.bytes.slice(start, start + length),
    );
    return new PolicyError(`Policy worker ${worker} failed: ${text}`);
  }

  #hire(module: WebAssembly.Module): Promise<void> {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), {
      type: "module",
    });
    const block = this.#heap.allocate(BLOCK_BYTES);
    this.#workers.push(worker);
    this.#blocks.push(block);
    const death = new Promise<never>((_, reject) => {
      worker.onerror = (event) => {
        event.preventDefault();
        reject(
          new PolicyError(
            `A policy worker crashed${
              event.message ? `: ${event.message}` : ""
            }`,
          ),
        );
      };
    });
    death.catch(() => {});
    this.#deaths.push(death);
    const ready = new Promise<void>((resolve) => {
      worker.onmessage = () => resolve();
    });
    const start: WorkerStart = { module, memory: this.#heap.memory, block };
    worker.postMessage(start);
    return Promise.race([ready, death]);
  }
}
