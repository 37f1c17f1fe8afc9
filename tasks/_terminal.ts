/**
 * Writes the output of a task: its result to stdout, and everything else to stderr, with a live line if stderr is a
 * terminal.
 */

import {
  type Counter,
  counter,
  LiveLine,
} from "../train/progress/live_line.ts";

const encoder = new TextEncoder();

/** The output streams of a task. With `--json`, only JSON is written to stdout. */
export class Terminal {
  readonly #json: boolean;
  readonly #line = new LiveLine();

  constructor(options: { json: boolean }) {
    this.#json = options.json;
  }

  /** Prints a line of the result to stdout. Prints nothing with `--json`. */
  print(text = ""): void {
    if (this.#json) return;
    this.#line.end();
    writeAll(Deno.stdout, `${text}\n`);
  }

  /** Writes part of a conversation with the person at the terminal to stdout or, with `--json`, to stderr. */
  talk(text: string): void {
    this.#line.end();
    writeAll(this.#json ? Deno.stderr : Deno.stdout, text);
  }

  /** Prints the result as one JSON object on one line of stdout. */
  printJson(value: unknown): void {
    this.#line.end();
    writeAll(Deno.stdout, `${JSON.stringify(value)}\n`);
  }

  /**
   * Tells a parent program that the task is ready by printing one JSON object to stdout. Prints nothing without
   * `--json`.
   */
  ready(value: unknown): void {
    if (this.#json) writeAll(Deno.stdout, `${JSON.stringify(value)}\n`);
  }

  /** Writes a message to stderr. */
  note(text: string): void {
    this.#line.around(() => writeAll(Deno.stderr, `${text}\n`));
  }

  /**
   * Replaces the text of the live line, at most ten times per second. If stderr is not a terminal, writes the text as a
   * line at most every 30 seconds instead.
   */
  progress(text: string): void {
    this.#line.show(text);
  }

  /** Returns a counter that shows progress towards `of` on the live line, with the speed and the remaining time. */
  counting(of: number, what: string): Counter {
    return counter(of, { what, show: (text) => this.#line.show(text) });
  }

  /** Ends the live line, so that later output begins on a new line. */
  endProgress(): void {
    this.#line.end();
  }
}

/** Writes all of `text`. A closed pipe, as in `| head`, is not an error. */
function writeAll(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  let left = encoder.encode(text);
  try {
    while (left.length > 0) left = left.subarray(stream.writeSync(left));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
