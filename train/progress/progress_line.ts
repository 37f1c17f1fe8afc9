/** One live line of what is done of something that is counted. */

import { count, duration } from "./amounts.ts";

/** What there is to say of work under way. */
export interface Progress {
  /** What is counted: `episodes`. */
  readonly what: string;
  readonly done: number;
  readonly of: number;
  /** Seconds since the work began. */
  readonly seconds: number;
}

/** How much is done, how fast, how long it still takes: `120/1,000 episodes · 410/s · 2.1 s left`. */
export function progressText({ what, done, of, seconds }: Progress): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const left = duration((of - done) / rate);
  return `${count(done)}/${count(of)} ${what} · ${
    rate.toFixed(0)
  }/s · ${left} left`;
}

/** Where a line is drawn. */
export interface LineStream {
  isTerminal(): boolean;
  writeSync(data: Uint8Array): number;
}

/** Settings of {@linkcode progressLine}. */
export interface ProgressOptions {
  /** What is counted. Default: `episodes`. */
  readonly what?: string;
  /** Default: stderr. */
  readonly stream?: LineStream;
  /** Milliseconds. Default: the clock. */
  readonly now?: () => number;
}

/** A live line. Held by `using`, so that it is gone whatever happens. */
export interface ProgressLine extends Disposable {
  /** One more is done; with the last one the line is wiped, so that what is printed next stands alone. */
  step(): void;
}

/** It is drawn anew at most so often. */
const EVERY_MS = 100;

/**
 * Shows how far a script has come, on a line of stderr that is wiped at the end; nothing where no person watches.
 * @param of How many there are to do.
 * @example
 * ```ts
 * import { progressLine } from "./progress_line.ts";
 *
 * using line = progressLine(3, { what: "tasks" });
 * for (const _ of [1, 2, 3]) line.step();
 * ```
 */
export function progressLine(
  of: number,
  options: ProgressOptions = {},
): ProgressLine {
  const { what = "episodes", stream = Deno.stderr } = options;
  const { now = () => performance.now() } = options;
  const from = now();
  const isWatched = stream.isTerminal();
  const draw = (text: string) =>
    void stream.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
  let [done, drawnAt] = [0, -Infinity];
  return {
    step() {
      done++;
      if (!isWatched) return;
      if (done >= of) return draw("");
      if (now() - drawnAt < EVERY_MS) return;
      drawnAt = now();
      draw(progressText({ what, done, of, seconds: (drawnAt - from) / 1000 }));
    },
    [Symbol.dispose]() {
      if (isWatched) draw("");
    },
  };
}
