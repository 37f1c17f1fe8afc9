/** The live line of work that is counted. */

import { progressText } from "../train/progress/progress_line.ts";
import type { Terminal } from "./_terminal.ts";

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
    this.#terminal.progress(progressText({
      what: this.#what,
      done,
      of: this.#of,
      seconds: (performance.now() - this.#from) / 1000,
    }));
  }
}
