/**
 * Implements the protocol that sends a command to a shell. The command is sent over the shell's standard input, so that
 * it does not appear in process lists. The input then stays open. When it is closed by an abort, a lost connection or
 * the end of this program, a watcher process ends the command's whole process group.
 *
 * Marks that contain a nonce enclose the output. They distinguish the command's output from anything that a login shell
 * prints, and a finished command from a lost connection.
 */

import { quote, type ShellCommand } from "./shell.ts";

/**
 * The script in the command line of the shell. It reads a line from standard input and runs it, so that process lists
 * do not show the line.
 */
export const BOOT = 'IFS= read -r line && eval "$line"';

/** The time in seconds between SIGTERM and SIGKILL for a process group. */
const GRACE_S = 5;

const MARK = "\x1e";

/**
 * Encodes a command as the data to write to the standard input of {@linkcode BOOT}. The input must stay open until the
 * command ends.
 * @throws {TypeError} If the name of an environment variable is invalid, or the command contains a NUL character.
 */
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

/** Returns a shell script that runs the command with its environment and in its directory. */
function program({ script, env = {}, cwd }: ShellCommand): string {
  const lines = Object.entries(env).map(([name, value]) => {
    if (/^[A-Za-z_]\w*$/.test(name)) return `export ${name}=${quote(value)}`;
    throw new TypeError(`"${name}" is not a valid environment variable name`);
  });
  if (cwd !== undefined) lines.push(`cd -- ${quote(cwd)} || exit 1`);
  return [...lines, script].join("\n");
}

/** Escapes a string as one line of ASCII for `printf %b`. dash's `read` corrupts some bytes of UTF-8 text. */
function escapeLine(text: string): string {
  if (text.includes("\0")) {
    throw new TypeError("A command cannot contain a NUL character");
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
 * Returns the script that runs a command. The command runs in the foreground, in a subshell; the watcher runs in the
 * background. To end the command, the watcher sends SIGTERM to the whole process group. The watcher itself ignores this
 * signal, so that it can later send SIGKILL to the processes that are still running.
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
 * Returns the shell commands that open the command's input. Input that is not empty is copied to a file that is deleted
 * at once. Unread input in a pipe would prevent the watcher from noticing that standard input is closed.
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

/** The contents of one output stream. */
export interface Framed {
  /** The output before the command started, such as banners or errors of ssh. */
  readonly before: string;
  readonly began: boolean;
  /** The command's output. */
  readonly text: string;
  /** The exit status; `undefined` if the stream ended before the command did. */
  readonly code: number | undefined;
}

/** Options for {@linkcode readFramed}. */
export interface FrameOptions {
  readonly nonce: string;
  /** Called when the output of the command begins. */
  onBegin(): void;
  onLine?: ((line: string) => void) | undefined;
}

/** Reads a stream until the command or the stream ends. */
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

  /** Moves the received text to the output, except for a possible partial mark at the end. */
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
