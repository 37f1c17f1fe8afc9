/** Where a task's words go: the result to stdout, all else to stderr, one live line where a person watches. */

const encoder = new TextEncoder();

/** The two streams of a task. Under `--json` stdout carries the final object and nothing else. */
export class Terminal {
  readonly #json: boolean;
  readonly #live: boolean;
  #line = "";
  #shownAtMs = -Infinity;

  constructor(options: { json: boolean }) {
    this.#json = options.json;
    this.#live = Deno.stderr.isTerminal();
  }

  /** A line of the result, for people: to stdout, left out under `--json`. */
  print(text = ""): void {
    if (this.#json) return;
    this.#clear();
    writeAll(Deno.stdout, `${text}\n`);
  }

  /** A piece of a conversation with the person: to stdout, under `--json` to stderr. */
  talk(text: string): void {
    this.#clear();
    writeAll(this.#json ? Deno.stderr : Deno.stdout, text);
  }

  /** The result for programs: one JSON object on one line of stdout. */
  printJson(value: unknown): void {
    this.#clear();
    writeAll(Deno.stdout, `${JSON.stringify(value)}\n`);
  }

  /** What a program that started this one waits for: one JSON object on stdout, under `--json` only. */
  ready(value: unknown): void {
    if (this.#json) writeAll(Deno.stdout, `${JSON.stringify(value)}\n`);
  }

  /** A line about what is going on: to stderr. */
  note(text: string): void {
    this.#clear();
    writeAll(Deno.stderr, `${text}\n`);
    this.#draw();
  }

  /** Replaces the live line, at most ten times a second; nothing where stderr is no terminal. */
  progress(text: string, nowMs: number = performance.now()): void {
    if (!this.#live) return;
    this.#line = text;
    if (nowMs - this.#shownAtMs < 100) return;
    this.#shownAtMs = nowMs;
    this.#draw();
  }

  /** Ends the live line. */
  endProgress(): void {
    this.#clear();
    this.#line = "";
  }

  #clear(): void {
    if (this.#live && this.#line !== "") writeAll(Deno.stderr, "\r\x1b[K");
  }

  #draw(): void {
    if (!this.#live || this.#line === "") return;
    const { columns } = Deno.consoleSize();
    writeAll(Deno.stderr, `\r\x1b[K${this.#line.slice(0, columns - 1)}`);
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
