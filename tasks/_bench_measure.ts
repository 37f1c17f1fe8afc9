/**
 * Provides helpers for all benchmarks: the median and spread of repeats, timing, the heap size, and workers that answer
 * messages.
 */

/** A figure measured several times. */
export interface Measured {
  readonly median: number;
  /** The smallest and the largest value. */
  readonly spread: readonly [min: number, max: number];
}

/** Returns the median and the spread of repeats. */
export function measured(values: readonly number[]): Measured {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[sorted.length >> 1] ?? NaN;
  return { median: middle, spread: [sorted[0] ?? NaN, sorted.at(-1) ?? NaN] };
}

/** Returns a percentile of values. `share` is from 0 to 1; 0.5 is the median. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.floor(share * sorted.length));
  return sorted[at] ?? NaN;
}

/** Returns the sum of values. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * Runs a function and measures its duration.
 * @returns The result of the function, and its duration in seconds.
 */
export async function timed<T>(
  work: () => T | Promise<T>,
): Promise<{ readonly value: T; readonly seconds: number }> {
  const start = performance.now();
  const value = await work();
  return { value, seconds: (performance.now() - start) / 1000 };
}

/**
 * Runs a benchmark. An error after Ctrl-C counts as an interrupt, because Ctrl-C also ends the measured processes.
 * @throws {DOMException} An `AbortError`, instead of the benchmark's error, if the signal is aborted.
 */
export async function interruptible<T>(
  work: () => Promise<T>,
  { signal }: { readonly signal: AbortSignal },
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The end of a measured process may be noticed before this process's own signal is delivered.
    await new Promise((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
    throw error;
  }
}

/**
 * Returns the number of heap bytes in use: the exact number under `--v8-flags=--expose-gc`, otherwise an upper bound.
 */
export function heapBytes(): number {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  return Deno.memoryUsage().heapUsed;
}

/** A worker that listens on a port and answers each message with one message. */
export class Actor implements Disposable {
  readonly #worker: Worker;
  #port = 0;

  private constructor(module: string) {
    const url = new URL(module, import.meta.url);
    this.#worker = new Worker(url, { type: "module" });
  }

  /** Starts a worker from `module` and sends it a first message, which the worker answers with its port. */
  static async open(module: string, message: object): Promise<Actor> {
    const actor = new Actor(module);
    actor.#port = (await actor.ask<{ port: number }>(message)).port;
    return actor;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  ask<T>(message: object): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#worker.onmessage = ({ data }) => resolve(data);
    this.#worker.onerror = ({ message }) => reject(new Error(message));
    this.#worker.postMessage(message);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
