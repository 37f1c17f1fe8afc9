/**
 * Sends POST requests over persistent connections, with one write and usually one read per request. This takes a
 * fraction of the CPU time of `fetch`, which would account for most of an episode server's CPU time.
 *
 * Only HTTP/1.1 without TLS or proxies is supported. Requests to HTTPS URLs are sent with `fetch`.
 */

import { MAX_BODY_BYTES, unpackedText } from "./bounded_body.ts";
import { HttpReader, type HttpResponse } from "./http_reader.ts";
import {
  fetchPost,
  type Post,
  POST_HEADERS,
  type Posted,
  type PostOptions,
} from "./post.ts";

/** Options for {@linkcode KeepAlive}. */
export interface KeepAliveOptions {
  /**
   * The minimum time for which an unused connection stays open, in milliseconds. It is closed within twice this time.
   * Default: 90 s, as with `fetch`.
   */
  readonly idleMs?: number;
}

/** A set of open connections. Disposing of the set closes the unused connections. Requests in flight continue. */
export class KeepAlive implements Disposable {
  readonly #idleMs: number;
  /** The unused connections, keyed by host and port, with the most recently used last. */
  readonly #idle = new Map<string, Connection[]>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor({ idleMs = 90_000 }: KeepAliveOptions = {}) {
    this.#idleMs = idleMs;
  }

  /** The number of open connections that carry no request. */
  get unused(): number {
    return [...this.#idle.values()].flat().length;
  }

  /** Sends a request and reads its response. */
  readonly post: Post = async (url, options) => {
    const target = new URL(url);
    if (target.protocol !== "http:") return await fetchPost(url, options);
    options.signal.throwIfAborted();
    return await this.#send({
      target,
      signal: options.signal,
      bytes: requestBytes(target, options),
    });
  };

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const connection of [...this.#idle.values()].flat()) {
      connection.close();
    }
    this.#idle.clear();
  }

  /**
   * Sends a request on an open connection. If there is none, or if the open connection fails before the server has sent
   * any part of its response, a new connection is opened.
   */
  async #send(request: Request): Promise<Posted> {
    const open = this.#idle.get(request.target.host)?.pop();
    if (open !== undefined) {
      try {
        return await this.#exchange(open, request);
      } catch (error) {
        request.signal.throwIfAborted();
        if (open.hasAnswered) throw error;
      }
    }
    const { target, signal } = request;
    return await this.#exchange(await Connection.open(target, signal), request);
  }

  async #exchange(
    connection: Connection,
    request: Request,
  ): Promise<Posted> {
    const { signal, target } = request;
    const abort = () => connection.close();
    signal.addEventListener("abort", abort, { once: true });
    try {
      // The signal may have been aborted before the listener was added.
      signal.throwIfAborted();
      const response = await connection.exchange(request);
      // Decode the body before the connection reads again, because reading overwrites the bytes.
      const posted = postedOf(response);
      if (response.isReusable) this.#keep(connection, target.host);
      else connection.close();
      return posted;
    } catch (error) {
      connection.close();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #keep(connection: Connection, host: string): void {
    if (this.#isClosed) return connection.close();
    let others = this.#idle.get(host);
    if (others === undefined) this.#idle.set(host, others = []);
    if (!connection.rest(others)) return;
    this.#timer ??= setTimeout(() => this.#sweep(), this.#idleMs);
  }

  /** Closes connections that have been unused for too long. */
  #sweep(): void {
    this.#timer = undefined;
    const before = performance.now() - this.#idleMs;
    for (const [host, connections] of this.#idle) {
      for (const one of connections.filter(({ idleAt }) => idleAt <= before)) {
        one.close();
      }
      if (connections.length === 0) this.#idle.delete(host);
    }
    if (this.#idle.size === 0) return;
    this.#timer = setTimeout(() => this.#sweep(), this.#idleMs);
  }
}

function postedOf(response: HttpResponse): Posted {
  const { status } = response;
  const headers = {
    get: (name: string) => response.headers.get(name) ?? null,
  };
  const text = unpackedText(response, { headers, maxBytes: MAX_BODY_BYTES });
  return { status, headers, ...text };
}

/** An open connection, which carries one request at a time. */
class Connection {
  /** The time at which the connection became unused, in milliseconds on the `performance.now()` clock. */
  idleAt = 0;
  /** Whether the server has sent any part of its response to the last request. */
  hasAnswered = false;
  readonly #socket: Deno.TcpConn;
  readonly #reader: HttpReader;
  /** The list of unused connections that contains this connection, or `undefined` while the connection is in use. */
  #others: Connection[] | undefined;
  #isClosed = false;

  private constructor(socket: Deno.TcpConn) {
    this.#socket = socket;
    socket.setNoDelay();
    this.#reader = new HttpReader(async (buffer) => {
      const count = await socket.read(buffer);
      if (count !== null) this.hasAnswered = true;
      return count;
    });
  }

  static async open(target: URL, signal: AbortSignal): Promise<Connection> {
    const { hostname, port } = target;
    try {
      const socket = await Deno.connect({
        hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
        port: Number(port || 80),
        signal,
      });
      return new Connection(socket);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  async exchange({ bytes }: Request): Promise<HttpResponse> {
    // Reads at the same time: a server may answer before it has received everything.
    let isSent = false;
    this.#others = undefined;
    this.#write(bytes).then(() => isSent = true, () => this.close());
    const response = await this.#reader.response(MAX_BODY_BYTES);
    const isReusable = response.isReusable && isSent && !this.#isClosed &&
      !this.#reader.hasRest;
    return { ...response, isReusable };
  }

  async #write(bytes: Uint8Array): Promise<void> {
    let at = await this.#socket.write(bytes);
    while (at < bytes.length) {
      at += await this.#socket.write(bytes.subarray(at));
    }
  }

  /**
   * Adds this connection to the unused connections until it is used again or the server closes it.
   * @returns `false` if the connection is already closed, in which case it is not added, or `true` otherwise.
   */
  rest(others: Connection[]): boolean {
    if (this.#isClosed) return false;
    this.hasAnswered = false;
    this.idleAt = performance.now();
    this.#others = others;
    others.push(this);
    // If this read ends while the connection is unused, the connection cannot carry another request.
    const drop = () => this.#others && this.close();
    this.#reader.begin().then(drop, drop);
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
    const at = this.#others?.lastIndexOf(this) ?? -1;
    if (at >= 0) this.#others?.splice(at, 1);
  }
}

/** An encoded request with its head and body. */
interface Request {
  readonly target: URL;
  readonly signal: AbortSignal;
  readonly bytes: Uint8Array;
}

const encoder = new TextEncoder();

/**
 * Returns the bytes of a request's head and body. If the body's buffer has room for the head, the head is written
 * there; otherwise, both are copied to a new buffer.
 */
function requestBytes(
  target: URL,
  { headers, body, headRoom = 0 }: PostOptions,
): Uint8Array {
  const content = typeof body === "string" ? encoder.encode(body) : body;
  // The head is ASCII, so its string length equals its length in bytes.
  const head = headOf(target, headers, content.length);
  const { buffer, byteOffset, length } = content;
  const isBefore = typeof body !== "string" && head.length <= headRoom;
  const bytes = isBefore
    ? new Uint8Array(buffer, byteOffset - head.length, head.length + length)
    : new Uint8Array(head.length + length);
  encoder.encodeInto(head, bytes);
  if (!isBefore) bytes.set(content, head.length);
  return bytes;
}

/**
 * Returns the request's head.
 * @throws {TypeError} If a header is malformed, since it could end the head early.
 */
function headOf(
  { host, pathname, search }: URL,
  further: Readonly<Record<string, string>>,
  length: number,
): string {
  let head = `POST ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\n`;
  const headers = { ...POST_HEADERS, accept: "*/*", ...further };
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[a-z-]+$/.test(name) || !/^[\t\x20-\x7e]*$/.test(value)) {
      throw new TypeError(`Cannot send the header "${name}": it is malformed`);
    }
    head += `${name}: ${value}\r\n`;
  }
  return `${head}content-length: ${length}\r\n\r\n`;
}
