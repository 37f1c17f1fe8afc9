/**
 * How a command travels to a shell: over its standard input, so that no process list shows what it holds, and
 * with that input left open as a lifeline. When the line is cut – by an abort, a lost connection or the end of
 * this program – a watcher beside the command ends the whole process group there.
 *
 * What comes back is framed by marks that hold a nonce: what a login shell prints of its own accord is told
 * from the command's words, and a command that ended from a connection that was lost.
 */

import { quote, type ShellCommand } from "./shell.ts";

/** The one line that a command line shows: read the next line, run it. */
export const BOOT = 'IFS= read -r line && eval "$line"';

/** Seconds between asking a process group to end and ending it. */
const GRACE_S = 5;

const MARK = "\x1e";

/** What is written to {@linkcode BOOT}'s standard input; then the input stays open. */
export function encodeCommand(
  command: ShellCommand,
  nonce: string,
): Uint8Array<ArrayBuffer> {
  const input = new TextEncoder().encode(command.stdin ?? "");
  const head = new TextEncoder().encode(
    `${wrapper(nonce, input.length)}\n${escapeLine(program(command))}\n`,
  );
  const all = new Uint8Array(head.length + input.length);
  all.set(head);
  all.set(input, head.length);
  return all;
}

/** The command with its environment and directory, as a shell reads it. */
function program({ script, env = {}, cwd }: ShellCommand): string {
  const lines = Object.entries(env).map(([name, value]) => {
    if (/^[A-Za-z_]\w*$/.test(name)) return `export ${name}=${quote(value)}`;
    throw new TypeError(`"${name}" is no name of an environment variable`);
  });
  if (cwd !== undefined) lines.push(`cd -- ${quote(cwd)} || exit 1`);
  return [...lines, script].join("\n");
}

/** One line of ASCII that `printf %b` turns back: dash garbles some bytes of UTF-8 that pass through `read`. */
function escapeLine(text: string): string {
  if (text.includes("\0")) {
    throw new TypeError("A command cannot hold a NUL character");
  }
  let line = "";
  for (const byte of new TextEncoder().encode(text)) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
    line += plain
      ? String.fromCharCode(byte)
      : `\\0${byte.toString(8).padStart(3, "0")}`;
  }
  return line;
}

/**
 * The command runs in the foreground of a subshell, the watcher beside it. A group that was told to end keeps
 * its watcher, which ends what is left of it.
 */
function wrapper(nonce: string, inputBytes: number): string {
  return [
    'IFS= read -r taulab_line && taulab_program=$(printf %b "$taulab_line") || exit 1',
    "exec 3<&0",
    ...openInput(inputBytes),
    "taulab_cut=",
    "trap taulab_cut=1 TERM",
    `printf '\\036${nonce}\\036'`,
    `printf '\\036${nonce}\\036' >&2`,
    `( trap : TERM; exec 4<&-; while IFS= read -r taulab_line; do :; done; ` +
    `kill -TERM 0; sleep ${GRACE_S}; kill -KILL 0 ) <&3 >/dev/null 2>&1 & taulab_watcher=$!`,
    '( exec 3<&-; eval "$taulab_program" ) <&4 4<&-',
    "taulab_code=$?",
    '[ -n "$taulab_cut" ] || kill -KILL "$taulab_watcher"',
    `printf '\\036${nonce} %s\\036' "$taulab_code"`,
    `printf '\\036${nonce} %s\\036' "$taulab_code" >&2`,
    "exit 0",
  ].join("; ");
}

/**
 * The command's input is spooled to a file without a name: in a pipe, what the command does not read would
 * stand between the watcher and the end of the line.
 */
function openInput(bytes: number): string[] {
  if (bytes === 0) return ["exec 4</dev/null"];
  return [
    "taulab_input=$(mktemp) || exit 1",
    `head -c ${bytes} <&3 >"$taulab_input" || exit 1`,
    'exec 4<"$taulab_input"',
    'rm -f "$taulab_input"',
  ];
}

/** What one stream of a command held. */
export interface Framed {
  /** What came before the command began: banners, complaints of ssh. */
  readonly before: string;
  readonly began: boolean;
  /** The command's own words. */
  readonly text: string;
  /** Its exit code; `undefined` where the stream ended before the command did. */
  readonly code: number | undefined;
}

/** How a stream is read. */
export interface FrameOptions {
  readonly nonce: string;
  /** The command has begun. */
  onBegin(): void;
  onLine?: ((line: string) => void) | undefined;
}

/** Reads a stream up to the command's end, or to its own. */
export async function readFramed(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  options: FrameOptions,
): Promise<Framed> {
  const frame = new Frame(options);
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  try {
    while (!frame.ended) {
      const { done, value } = await reader.read();
      if (done) break;
      frame.push(value);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
  return frame.finish();
}

class Frame {
  readonly #begin: string;
  readonly #end: RegExp;
  readonly #onBegin: () => void;
  readonly #onLine: ((line: string) => void) | undefined;
  #before = "";
  #began = false;
  #text = "";
  #line = "";
  #held = "";
  #code: number | undefined;

  constructor({ nonce, onBegin, onLine }: FrameOptions) {
    this.#begin = `${MARK}${nonce}${MARK}`;
    this.#end = new RegExp(`${MARK}${nonce} (\\d+)${MARK}`);
    this.#onBegin = onBegin;
    this.#onLine = onLine;
  }

  get ended(): boolean {
    return this.#code !== undefined;
  }

  push(chunk: string): void {
    if (!this.#began) {
      this.#before += chunk;
      const at = this.#before.indexOf(this.#begin);
      if (at < 0) return;
      chunk = this.#before.slice(at + this.#begin.length);
      this.#before = this.#before.slice(0, at);
      this.#began = true;
      this.#onBegin();
    }
    this.#held += chunk;
    const end = this.#end.exec(this.#held);
    if (end) {
      this.#take(this.#held.slice(0, end.index));
      this.#held = "";
      this.#code = Number(end[1]);
    } else {
      this.#takeButMark();
    }
  }

  finish(): Framed {
    this.#take(this.#held);
    if (this.#line !== "") this.#onLine?.(this.#line);
    return {
      before: this.#before,
      began: this.#began,
      text: this.#text,
      code: this.#code,
    };
  }

  /** What follows a mark's first character may be the rest of it. */
  #takeButMark(): void {
    const longest = this.#begin.length + 4;
    const at = this.#held.indexOf(
      MARK,
      Math.max(0, this.#held.length - longest),
    );
    const sure = at < 0 ? this.#held.length : at;
    this.#take(this.#held.slice(0, sure));
    this.#held = this.#held.slice(sure);
  }

  #take(text: string): void {
    this.#text += text;
    if (!this.#onLine) return;
    const lines = (this.#line + text).split(/\r?\n|\r(?!$)/);
    this.#line = lines.pop() ?? "";
    for (const line of lines) this.#onLine(line);
  }
}
