/** Where a task's words go: the result to stdout, all else to stderr, one live line where a person watches. */

import {
  type Counter,
  counter,
  LiveLine,
} from "../train/progress/live_line.ts";

const encoder = new TextEncoder();

/** The two streams of a task. Under `--json` stdout carries the final object and nothing else. */
export class Terminal {
  readonly #json: boolean;
  readonly #line = new LiveLine();

  constructor(options: { json: boolean }) {
    this.#json = options.json;
  }

  /** A line of the result, for people: to stdout, left out under `--json`. */
  print(text = ""): void {
    if (this.#json) return;
    this.#line.end();
    writeAll(Deno.stdout, `${text}\n`);
  }

  /** A piece of a conversation with the person: to stdout, under `--json` to stderr. */
  talk(text: string): void {
    this.#line.end();
    writeAll(this.#json ? Deno.stderr : Deno.stdout, text);
  }

  /** The result for programs: one JSON object on one line of stdout. */
  printJson(value: unknown): void {
    this.#line.end();
    writeAll(Deno.stdout, `${JSON.stringify(value)}\n`);
  }

  /** What a program that started this one waits for: one JSON object on stdout, under `--json` only. */
  ready(value: unknown): void {
    if (this.#json) writeAll(Deno.stdout, `${JSON.stringify(value)}\n`);
  }

  /** A line about what is going on: to stderr. */
  note(text: string): void {
    this.#line.around(() => writeAll(Deno.stderr, `${text}\n`));
  }

  /** Replaces the live line, at most ten times a second; where stderr is no terminal, a line every 30 seconds. */
  progress(text: string): void {
    this.#line.show(text);
  }

  /** Counts what is done of `of` on the live line: how many, how fast, how long it still takes. */
  counting(of: number, what: string): Counter {
    return counter(of, { what, show: (text) => this.#line.show(text) });
  }

  /** Ends the live line. */
  endProgress(): void {
    this.#line.end();
  }
}

/** Writes all of `text`; a reader that has gone away (`| head`) is no error. */
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
