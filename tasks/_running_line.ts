/**
 * The live line of work that is counted.
 *
 * @module
 */

import type { Terminal } from "./_terminal.ts";
import { count, duration } from "./_text.ts";

/** The live line: how many, how fast, how long. */
export class RunningLine {
  readonly #terminal: Terminal;
  readonly #what: string;
  readonly #of: number;
  readonly #from = performance.now();
  #done = 0;

  constructor(terminal: Terminal, { what, of }: { what: string; of: number }) {
    this.#terminal = terminal;
    this.#what = what;
    this.#of = of;
  }

  /** One more is done. */
  step(): void {
    this.to(this.#done + 1);
  }

  /** So many are done. */
  to(done: number): void {
    this.#done = done;
    const rate = this.#done / ((performance.now() - this.#from) / 1000);
    this.#terminal.progress(
      `${count(this.#done)}/${count(this.#of)} ${this.#what} · ${
        rate.toFixed(0)
      }/s · ${duration((this.#of - this.#done) / rate)} left`,
    );
  }
}
