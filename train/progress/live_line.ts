/** A one-line progress indicator on stderr. */

import { count, duration } from "./amounts.ts";

/** The stream that a line is drawn on. */
export interface LineStream {
  isTerminal(): boolean;
  writeSync(data: Uint8Array): number;
}

/** Options for {@linkcode LiveLine}. */
export interface LiveLineOptions {
  /** The stream to write to. Default: stderr. */
  readonly stream?: LineStream;
  /** The clock, in milliseconds. Default: the system clock. */
  readonly now?: () => number;
}

/** The minimum time between redraws on a terminal. */
const EVERY_MS = 100;
/** The minimum time between printed lines if the stream is not a terminal (nohup, a job scheduler, CI). */
const EVERY_MS_UNWATCHED = 30_000;

/** A line that is redrawn in place. If the stream is not a terminal, it is printed at most every 30 seconds. */
export class LiveLine {
  readonly #stream: LineStream;
  readonly #now: () => number;
  readonly #isWatched: boolean;
  #text = "";
  #drawnAtMs: number;

  constructor(
    { stream = Deno.stderr, now = () => performance.now() }: LiveLineOptions =
      {},
  ) {
    this.#stream = stream;
    this.#now = now;
    this.#isWatched = stream.isTerminal();
    this.#drawnAtMs = this.#isWatched ? -Infinity : now();
  }

  /**
   * Replaces the line, at most ten times per second. If the stream is not a terminal, prints it at most every 30
   * seconds.
   */
  show(text: string): void {
    this.#text = text;
    const every = this.#isWatched ? EVERY_MS : EVERY_MS_UNWATCHED;
    if (this.#now() - this.#drawnAtMs < every) return;
    this.#drawnAtMs = this.#now();
    if (this.#isWatched) this.#draw(text);
    else this.#write(`${text}\n`);
  }

  /** Hides the line while `print` prints something, and redraws it below. */
  around(print: () => void): void {
    if (this.#text !== "") this.#draw("");
    print();
    if (this.#text !== "") this.#draw(this.#text);
  }

  /** Clears the line. */
  end(): void {
    if (this.#text !== "") this.#draw("");
    this.#text = "";
  }

  #draw(text: string): void {
    if (!this.#isWatched) return;
    this.#write(`\r\x1b[K${text.slice(0, columns() - 1)}`);
  }

  #write(text: string): void {
    this.#stream.writeSync(new TextEncoder().encode(text));
  }
}

function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    // A custom stream, not a terminal of this process.
    return Infinity;
  }
}

/** The state of work in progress. */
export interface Progress {
  /** The counted unit: `episodes`. */
  readonly what: string;
  readonly done: number;
  readonly of: number;
  /** The number of seconds since the start of the work. */
  readonly seconds: number;
  /** Additional parts of the line. */
  readonly more?: readonly string[];
}

/** Formats progress with the rate and the remaining time: `120/1,000 episodes · 410/s · 2.1 s left`. */
export function progressText(
  { what, done, of, seconds, more = [] }: Progress,
): string {
  const rate = seconds > 0 ? done / seconds : 0;
  return [
    `${count(done)}/${count(of)} ${what}`,
    ...more,
    `${rate.toFixed(rate > 0 && rate < 10 ? 1 : 0)}/s`,
    `${duration((of - done) / rate)} left`,
  ].join(" · ");
}

/** A counter of completed items that displays the progress. */
export interface Counter {
  /** Counts one more completed item. `more` is a list of additional parts of the line. */
  step(more?: readonly string[]): void;
}

/** Creates a counter for work that starts now. */
export function counter(
  of: number,
  { what, show, now = () => performance.now() }: {
    readonly what: string;
    readonly show: (text: string) => void;
    readonly now?: (() => number) | undefined;
  },
): Counter {
  const from = now();
  let done = 0;
  return {
    step(more = []) {
      const seconds = (now() - from) / 1000;
      show(progressText({ what, done: ++done, of, seconds, more }));
    },
  };
}

/** Options for {@linkcode progressLine}. */
export interface ProgressOptions extends LiveLineOptions {
  /** The counted unit. Default: `episodes`. */
  readonly what?: string;
}

/** A progress line. Use it with `using`, so that it is always cleared. */
export interface ProgressLine extends Disposable {
  /** Counts one more completed item. After the last item, the line is cleared. */
  step(): void;
}

/**
 * Shows the progress of a script on one line of stderr, and clears the line at the end. If stderr is not a terminal, a
 * line is printed at most every 30 seconds.
 * @param of The total number of items.
 * @example
 * ```ts
 * import { progressLine } from "./live_line.ts";
 *
 * using line = progressLine(3, { what: "tasks" });
 * for (const _ of [1, 2, 3]) line.step();
 * ```
 */
export function progressLine(
  of: number,
  { what = "episodes", ...options }: ProgressOptions = {},
): ProgressLine {
  const line = new LiveLine(options);
  const counted = counter(of, {
    what,
    show: (text) => line.show(text),
    now: options.now,
  });
  let left = of;
  return {
    step() {
      counted.step();
      if (--left <= 0) line.end();
    },
    [Symbol.dispose]: () => line.end(),
  };
}
