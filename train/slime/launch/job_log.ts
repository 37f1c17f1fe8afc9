/**
 * Keeps a copy of a job's log in the run dir. The copy's length determines where to continue after a broken connection,
 * or in a later process.
 */

import { readTextIfThere, writeAll } from "../../runs/storage.ts";

/**
 * The number of characters at the end of the copy that are compared with the log before any further text is appended.
 */
const CHECK_CHARS = 512;

/** A copy of a log that is being extended. */
export class JobLog implements Disposable {
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #onLine: (line: string) => void;
  #length = 0;
  /** The offset in the copy where the job's current log begins. */
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
   * Opens a copy, which may already contain a part of the log.
   * @param onLine Called with each complete line, starting with the lines of the copy.
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

  /** The length of the copied part of the log in UTF-16 code units. */
  get length(): number {
    return this.#length - this.#base;
  }

  /** The last {@linkcode CHECK_CHARS} characters of the copied part of the log. */
  get end(): string {
    return this.#end;
  }

  /** Starts to read the log again from its first character. */
  reading(): LogReading {
    return new LogReading(this);
  }

  /**
   * Compares the copy with the whole text of the log, and appends the part that is missing.
   * @returns Whether the text overlaps with the copy. If it does not, the whole text is appended as new.
   */
  async takeWhole(text: string): Promise<boolean> {
    const start = this.length - this.#end.length;
    if (text.startsWith(this.#end, start)) {
      await this.append(text.slice(this.length));
      return true;
    }
    if (this.#end.startsWith(text.slice(start))) return true; // the copy already has all of it
    const at = text.lastIndexOf(this.#end);
    if (at < 0) this.#end = "";
    await this.append(at < 0 ? text : text.slice(at + this.#end.length));
    this.#base = this.#length - text.length;
    return at >= 0;
  }

  /** Appends text to the copy. */
  async append(text: string): Promise<void> {
    if (text === "") return;
    await writeAll(this.#file, new TextEncoder().encode(text));
    this.#count(text);
  }

  /** Reports an incomplete last line as if it were complete, because the job prints nothing more. */
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

/** A single pass over a log from its start, in pieces. */
export class LogReading {
  readonly #log: JobLog;
  #at = 0;
  /**
   * The last characters that this pass has read within the copied part of the log, to be compared with {@linkcode
   * JobLog.end}.
   */
  #seen = "";
  #isChecked = false;

  /**
   * Starts a pass.
   * @param log The copy. Nothing else may append to it during the pass.
   */
  constructor(log: JobLog) {
    this.#log = log;
  }

  /**
   * Appends the next piece to the copy, except for the part that the copy already has.
   * @returns `false` if the log differs from the copy. In this case, nothing is appended, and
   * {@linkcode JobLog.takeWhole} must be called.
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
