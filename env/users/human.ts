/** Implements the human user: a person at the terminal. */

import { parsePythonJson } from "../python/python_json.ts";
import {
  type CallOptions,
  STOP,
  type ToolCall,
  type ToolSchema,
  type User,
  type UserFactory,
} from "../types.ts";
import { labelled } from "./_label.ts";

/** A function that reads a line, without its line ending; resolves to `null` at the end of input. */
export type LineReader = (options?: CallOptions) => Promise<string | null>;

/** Options for {@linkcode humanUser}. */
export interface HumanUserOptions {
  readonly readLine: LineReader;
  /**
   * Shows text to the person: the agent's messages as `message`; the task, tool results and notes about calls as
   * `task`.
   */
  readonly write: (text: string, what: "task" | "message") => void;
  /**
   * Tools that the person may call with a line that begins with a slash, such as `/set_mode {"mode": "4g"}`. Default:
   * none.
   */
  readonly tools?: readonly ToolSchema[];
}

/**
 * Creates users played by the person at the terminal. The end of input (Ctrl-D) or a line with the stop token ends the
 * conversation. The first line is a message; if there are tools, later lines may be calls. Blank lines are ignored.
 */
export function humanUser(
  { readLine, write, tools = [] }: HumanUserOptions,
): UserFactory {
  async function line(options: CallOptions = {}): Promise<string> {
    options.signal?.throwIfAborted();
    for (;;) {
      const text = await readLine(options);
      if (text === null) return STOP;
      if (text.trim() !== "") return text.trim();
    }
  }
  function reply(message: string, options: CallOptions = {}): Promise<string> {
    write(`${message}\n`, "message");
    return line(options);
  }
  function acting(): NonNullable<User["act"]> {
    let calls = 0;
    return async (heard, options) => {
      let text = heard.type === "message"
        ? await reply(heard.content, options)
        : undefined;
      if (heard.type === "answers") {
        for (const { content } of heard.answers) {
          write(`  [${content}]`, "task");
        }
      }
      for (;;) {
        text ??= await line(options);
        if (!text.startsWith("/")) return { content: text, toolCalls: [] };
        const call = callOf(text, `user_${calls++}`);
        if (call !== undefined) return { content: "", toolCalls: [call] };
        write(`  [write a call as /NAME {"ARGUMENT": "VALUE"}]`, "task");
        text = undefined;
      }
    };
  }
  return labelled("human", (task) => ({
    open(options) {
      write(`You are the user. ${task.instruction}\n`, "task");
      if (tools.length > 0) {
        const names = tools.map((tool) => `/${tool.function.name}`).join(" ");
        write(`After your first message you can call ${names}\n`, "task");
      }
      return line(options);
    },
    reply,
    ...tools.length > 0 && { act: acting() },
  }));
}

/** Parses a call: `/NAME`, optionally followed by arguments as JSON. Returns `undefined` if they are not a JSON object. */
function callOf(line: string, id: string): ToolCall | undefined {
  const end = line.search(/\s|$/);
  try {
    const args = parsePythonJson(line.slice(end).trim() || "{}");
    return args instanceof Map
      ? { id, name: line.slice(1, end), arguments: args }
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Creates a line reader for a byte stream, such as `Deno.stdin.readable`. An abort rejects the pending read without
 * losing input: the next call reads what arrives later.
 */
export function lineReader(input: ReadableStream<Uint8Array>): LineReader {
  const reader = input.pipeThrough(textDecoder()).getReader();
  let buffer = "";
  let ended = false;
  let pending: Promise<void> | undefined;

  async function fill(): Promise<void> {
    const { done, value } = await reader.read();
    pending = undefined;
    if (done) ended = true;
    else buffer += value;
  }

  function take(): string | null | undefined {
    const end = buffer.indexOf("\n");
    if (end < 0 && !ended) return undefined;
    if (end < 0 && buffer === "") return null;
    const text = end < 0 ? buffer : buffer.slice(0, end);
    buffer = end < 0 ? "" : buffer.slice(end + 1);
    return text.replace(/\r$/, "");
  }

  return async ({ signal } = {}) => {
    for (;;) {
      const text = take();
      if (text !== undefined) return text;
      await unlessAborted(pending ??= fill(), signal);
    }
  };
}

/** Narrows the decoder's input type from `BufferSource` to `Uint8Array`, which the stream requires. */
function textDecoder(): TransformStream<Uint8Array, string> {
  return new TextDecoderStream() as TransformStream<Uint8Array, string>;
}

async function unlessAborted(
  work: Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal === undefined) return await work;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
