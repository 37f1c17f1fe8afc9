/** One live line of stderr: what is going on, and of work that is counted how much is done. */

import { count, duration } from "./amounts.ts";

/** Where a line is drawn. */
export interface LineStream {
  isTerminal(): boolean;
  writeSync(data: Uint8Array): number;
}

/** Where and when a live line is drawn. */
export interface LiveLineOptions {
  /** Default: stderr. */
  readonly stream?: LineStream;
  /** Milliseconds. Default: the clock. */
  readonly now?: () => number;
}

/** It is drawn anew at most so often. */
const EVERY_MS = 100;
/** Where stderr is no terminal (nohup, a job scheduler, CI), a line is printed so often. */
const EVERY_MS_UNWATCHED = 30_000;

/** A line that is drawn over and over in its place; where stderr is no terminal, printed every 30 seconds. */
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

  /** Replaces the line, at most ten times a second. */
  show(text: string): void {
    this.#text = text;
    const every = this.#isWatched ? EVERY_MS : EVERY_MS_UNWATCHED;
    if (this.#now() - this.#drawnAtMs < every) return;
    this.#drawnAtMs = this.#now();
    if (this.#isWatched) this.#draw(text);
    else this.#write(`${text}\n`);
  }

  /** Lets something be printed in its place; the line comes back below it. */
  around(print: () => void): void {
    if (this.#text !== "") this.#draw("");
    print();
    if (this.#text !== "") this.#draw(this.#text);
  }

  /** Wipes the line. */
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
    // No terminal of this process: a stream of somebody's own.
    return Infinity;
  }
}

/** What there is to say of work under way. */
export interface Progress {
  /** What is counted: `episodes`. */
  readonly what: string;
  readonly done: number;
  readonly of: number;
  /** Seconds since the work began. */
  readonly seconds: number;
  /** What else there is to say. */
  readonly more?: readonly string[];
}

/** How much is done, how fast, how long it still takes: `120/1,000 episodes · 410/s · 2.1 s left`. */
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

/** Counts what is done, and shows it. */
export interface Counter {
  /** One more is done, of which there is `more` to say. */
  step(more?: readonly string[]): void;
}

/** Counts work that begins now. */
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

/** Settings of {@linkcode progressLine}. */
export interface ProgressOptions extends LiveLineOptions {
  /** What is counted. Default: `episodes`. */
  readonly what?: string;
}

/** A live line. Held by `using`, so that it is gone whatever happens. */
export interface ProgressLine extends Disposable {
  /** One more is done; with the last one the line is wiped, so that what is printed next stands alone. */
  step(): void;
}

/**
 * Shows how far a script has come, on a line of stderr that is wiped at the end; where stderr is no terminal, by a line
 * every 30 seconds.
 * @param of How many there are to do.
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
