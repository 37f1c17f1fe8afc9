/**
 * Starts model servers on loopback with scripted answers, and with faults drawn from a seed:
 *
 *     await using server = modelServer({ answer: () => chatAnswer("hello"), faults: { seed: 1, share: 0.2 } });
 *
 * The servers implement HTTP/1.1 on plain sockets, because `Deno.serve` cannot drop a connection in the middle of an
 * answer.
 */

import { createRng } from "../../env/random.ts";

/**
 * The kinds of faults. Temporary errors have a status (`429`, `500`, `503`). A connection may close (`drop`) or stay
 * open (`stall`) before the answer, or do so in the middle of an answer (`half`, `stall in the body`). A body may not
 * be JSON (`malformed`), or may be JSON that is not an answer (`shape`).
 */
export const FAULTS = [
  "429",
  "429 with Retry-After",
  "500",
  "503",
  "drop",
  "half",
  "malformed",
  "shape",
  "stall",
  "stall in the body",
] as const;

/** A kind of fault, from {@linkcode FAULTS}. */
export type Fault = typeof FAULTS[number];

/** A request as the server received it. */
export interface ModelRequest {
  readonly path: string;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any -- tests read arbitrary fields
  readonly body: any;
  /** The index of the request in the order of arrival, starting at 0. */
  readonly index: number;
}

/** Options for {@linkcode modelServer}. */
export interface ModelServerOptions {
  /** Returns the JSON body of the answer, or the whole response. */
  readonly answer: (
    request: ModelRequest,
  ) => unknown | Response | Promise<unknown | Response>;
  /**
   * The share of requests that get a fault drawn from `kinds`, or a function that returns the fault of a request, if
   * any. Default: no faults.
   */
  readonly faults?:
    | {
      readonly seed: number;
      readonly share: number;
      readonly kinds?: readonly Fault[];
    }
    | ((request: ModelRequest) => Fault | undefined);
  readonly latencyMs?: number;
}

/** A running model server. Disposing of it stops the server. */
export interface ModelServer extends AsyncDisposable {
  /** The URL of the server, such as `http://127.0.0.1:40001`. */
  readonly url: string;
  readonly requests: readonly ModelRequest[];
  /** The number of times that each fault occurred. Faults that did not occur are missing. */
  readonly played: ReadonlyMap<Fault, number>;
}

/** Returns a chat completion with text, a tool call, or both. */
export function chatAnswer(
  content: string | null,
  call?: { name: string; arguments: string },
): unknown {
  const toolCalls = call === undefined
    ? {}
    : { tool_calls: [{ id: "call_1", type: "function", function: call }] };
  return {
    object: "chat.completion",
    choices: [{
      index: 0,
      message: { role: "assistant", content, ...toolCalls },
      finish_reason: call === undefined ? "stop" : "tool_calls",
    }],
    usage: { prompt_tokens: 10, completion_tokens: 5 },
  };
}

/** Starts a model server on a free port. */
export function modelServer(options: ModelServerOptions): ModelServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const requests: ModelRequest[] = [];
  const played = new Map<Fault, number>();
  const open = new Set<Deno.Conn>();
  const serving: Promise<void>[] = [];
  const faultOf = faultDrawer(options.faults);

  async function serve(connection: Deno.Conn): Promise<void> {
    open.add(connection);
    try {
      const reader = new RequestReader(connection);
      for (;;) {
        const message = await reader.next();
        if (message === null) return;
        const request = { ...message, index: requests.length };
        requests.push(request);
        const fault = faultOf(request);
        if (fault !== undefined) {
          played.set(fault, (played.get(fault) ?? 0) + 1);
        }
        if (fault === "stall") await reader.closed();
        if (fault === "drop" || fault === "stall") return;
        if (options.latencyMs !== undefined) await pause(options.latencyMs);
        await write(connection, await replyTo(request, fault, options));
        if (fault === "stall in the body") await reader.closed();
        if (fault === "half" || fault === "stall in the body") return;
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    } finally {
      open.delete(connection);
      close(connection);
    }
  }

  const accepting = (async () => {
    for await (const connection of listener) serving.push(serve(connection));
  })();
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    played,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) close(connection);
      await accepting.catch(() => {});
      await Promise.allSettled(serving);
    },
  };
}

/**
 * Returns a function that determines the fault of a request, if any. A drawn fault depends only on the seed, the
 * request's body and how often that body has occurred before, so the order of arrival does not matter.
 */
function faultDrawer(
  faults: ModelServerOptions["faults"],
): (request: ModelRequest) => Fault | undefined {
  if (faults === undefined) return () => undefined;
  if (typeof faults === "function") return faults;
  const { seed, share, kinds = FAULTS } = faults;
  const times = new Map<string, number>();
  return (request) => {
    const key = JSON.stringify(request.body);
    const time = times.get(key) ?? 0;
    times.set(key, time + 1);
    const rng = createRng(seed, key, time);
    return rng.next() < share ? rng.pick(kinds) : undefined;
  };
}

async function replyTo(
  request: ModelRequest,
  fault: Fault | undefined,
  { answer }: ModelServerOptions,
): Promise<Uint8Array> {
  switch (fault) {
    case "429":
      return reply(429, '{"error": {"message": "slow down"}}');
    case "429 with Retry-After":
      return reply(
        429,
        '{"error": {"message": "slow down"}}',
        "Retry-After: 0.02\r\n",
      );
    case "500":
      return reply(500, "oops");
    case "503":
      return reply(503, '{"error": {"message": "overloaded"}}');
    case "malformed":
      return reply(200, '{"choices": [');
    case "shape":
      return reply(200, '{"hello": "world"}');
  }
  const made = await answer(request);
  const whole = made instanceof Response
    ? reply(made.status, await made.text(), headerLines(made.headers))
    : reply(200, JSON.stringify(made));
  const isCut = fault === "half" || fault === "stall in the body";
  return isCut ? whole.slice(0, whole.length - 20) : whole;
}

function headerLines(headers: Headers): string {
  return [...headers].filter(([name]) => name !== "content-type")
    .map(([name, value]) => `${name}: ${value}\r\n`).join("");
}

function reply(status: number, body: string, headers = ""): Uint8Array {
  const bytes = new TextEncoder().encode(body);
  const head =
    `HTTP/1.1 ${status} X\r\nContent-Type: application/json\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`;
  return new Uint8Array([...new TextEncoder().encode(head), ...bytes]);
}

/** Reads requests from a connection, one at a time. */
class RequestReader {
  readonly #connection: Deno.Conn;
  #bytes = new Uint8Array(0);

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Returns the next request; `null` at the end of the connection. */
  async next(): Promise<Omit<ModelRequest, "index"> | null> {
    let end = -1;
    while ((end = this.#headEnd()) < 0) if (!(await this.#more())) return null;
    const head = new TextDecoder().decode(this.#bytes.slice(0, end));
    const [first = "", ...lines] = head.split("\r\n");
    const headers = new Headers(
      lines.map((line): [string, string] => {
        const at = line.indexOf(":");
        return [line.slice(0, at), line.slice(at + 1).trim()];
      }),
    );
    const size = Number(headers.get("content-length") ?? 0);
    while (this.#bytes.length < end + 4 + size) {
      if (!(await this.#more())) return null;
    }
    const body = new TextDecoder().decode(
      this.#bytes.slice(end + 4, end + 4 + size),
    );
    this.#bytes = this.#bytes.slice(end + 4 + size);
    return {
      path: first.split(" ")[1] ?? "",
      headers,
      body: body === "" ? null : JSON.parse(body),
    };
  }

  /** Resolves when the client has closed the connection. */
  async closed(): Promise<void> {
    while (await this.#more());
  }

  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(65536);
    const count = await this.#connection.read(buffer);
    if (count === null) return false;
    const joined = new Uint8Array(this.#bytes.length + count);
    joined.set(this.#bytes);
    joined.set(buffer.subarray(0, count), this.#bytes.length);
    this.#bytes = joined;
    return true;
  }

  #headEnd(): number {
    for (let i = 0; i + 3 < this.#bytes.length; i++) {
      if (
        this.#bytes[i] === 13 && this.#bytes[i + 1] === 10 &&
        this.#bytes[i + 2] === 13 && this.#bytes[i + 3] === 10
      ) return i;
    }
    return -1;
  }
}

async function write(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await connection.write(bytes.subarray(at));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // The client closed it first.
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.Interrupted;
}
