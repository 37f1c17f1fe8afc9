/**
 * The run dir's copy of what a job prints. It is what is followed by: a copy that has a part of the log knows
 * where to go on, after a connection that broke as after days without a follower.
 */

import { readTextIfThere, writeAll } from "../../runs/storage.ts";

/** How much of the end of a copy has to be met again before what follows it is taken for new. */
const CHECK_CHARS = 512;

/** A copy that grows. */
export class JobLog implements Disposable {
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #onLine: (line: string) => void;
  #length = 0;
  /** Where in the copy the job's log begins. */
  #base = 0;
  #end = "";
  #partial = "";

  private constructor(
    path: string,
    { file, onLine }: { file: Deno.FsFile; onLine: (line: string) => void },
  ) {
    this.path = path;
    this.#file = file;
    this.#onLine = onLine;
  }

  /**
   * Opens a copy, which may have a part of the log already.
   * @param onLine Each whole line, those that are there first.
   */
  static async open(
    path: string,
    onLine: (line: string) => void,
  ): Promise<JobLog> {
    const text = await readTextIfThere(path) ?? "";
    const file = await Deno.open(path, { append: true, create: true });
    const log = new JobLog(path, { file, onLine });
    log.#count(text);
    return log;
  }

  /** Characters of the log that the copy has, as JavaScript counts them. */
  get length(): number {
    return this.#length - this.#base;
  }

  /** The last {@linkcode CHECK_CHARS} of them. */
  get end(): string {
    return this.#end;
  }

  /** Begins to read the log again from its first character. */
  reading(): LogReading {
    return new LogReading(this);
  }

  /**
   * Takes the whole text of the log.
   * @returns Whether the copy is a part of it; where not, all of it is added as new.
   */
  async takeWhole(text: string): Promise<boolean> {
    const start = this.length - this.#end.length;
    if (text.startsWith(this.#end, start)) {
      await this.append(text.slice(this.length));
      return true;
    }
    if (this.#end.startsWith(text.slice(start))) return true; // it is behind us
    const at = text.lastIndexOf(this.#end);
    if (at < 0) this.#end = "";
    await this.append(at < 0 ? text : text.slice(at + this.#end.length));
    this.#base = this.#length - text.length;
    return at >= 0;
  }

  /** Adds new text. */
  async append(text: string): Promise<void> {
    if (text === "") return;
    await writeAll(this.#file, new TextEncoder().encode(text));
    this.#count(text);
  }

  /** Takes what follows the last line's end for a line: the job prints no more. */
  finish(): void {
    if (this.#partial !== "") this.#onLine(this.#partial);
    this.#partial = "";
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #count(text: string): void {
    this.#length += text.length;
    this.#end = (this.#end + text.slice(-CHECK_CHARS)).slice(-CHECK_CHARS);
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) this.#onLine(line);
  }
}

/** One reading of a log from its start, piece by piece. */
export class LogReading {
  readonly #log: JobLog;
  #at = 0;
  /** The last characters before {@linkcode JobLog.length}, as this reading has them. */
  #seen = "";
  #isChecked = false;

  /** @param log The copy as it is now; nobody else may add to it. */
  constructor(log: JobLog) {
    this.#log = log;
  }

  /**
   * Takes the next piece; what the copy has is skipped.
   * @returns `false` if the log is another than the copy is of: take its whole text instead.
   */
  async take(piece: string): Promise<boolean> {
    if (this.#isChecked) {
      await this.#log.append(piece);
      return true;
    }
    const known = piece.slice(0, this.#log.length - this.#at);
    this.#seen = (this.#seen + known).slice(-CHECK_CHARS);
    this.#at += piece.length;
    if (this.#at < this.#log.length) return true;
    if (this.#seen.slice(-this.#log.end.length) !== this.#log.end) return false;
    this.#isChecked = true;
    await this.#log.append(piece.slice(known.length));
    return true;
  }
}
