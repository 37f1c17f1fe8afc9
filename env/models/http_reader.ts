/**
 * Reads HTTP/1.1 responses from a byte stream, with limits on the size of heads, bodies and chunk headers. Anything
 * that does not match the grammar is an error, since a wrong guess about where a response ends would corrupt the next
 * response.
 *
 * @see RFC 9112, sections 4 (status line), 5 (fields) and 6 (body).
 */

import type { FirstBytes } from "./bounded_body.ts";

/** Reads some bytes into a buffer. Resolves to the number of bytes, or to `null` at the end of the stream. */
export type ReadSome = (buffer: Uint8Array) => Promise<number | null>;

/** A parsed HTTP response, whose body is not decompressed yet. */
export interface HttpResponse extends FirstBytes {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** Whether the connection can carry another request. */
  readonly isReusable: boolean;
}

/** Maximum size of a head, and of all trailers of a body, in bytes. */
export const MAX_HEAD_BYTES = 65_536;

/**
 * Maximum length of a chunk header in bytes. The header contains the chunk's size, and may contain extensions, which
 * are ignored.
 */
const MAX_CHUNK_HEADER = 256;

/** Maximum number of interim responses (status 100 to 199) before the final response. */
const MAX_INTERIM = 8;

/** Initial size of the buffer in bytes, which is enough for most responses. */
const FIRST_BYTES = 4096;

/** Size in bytes above which the buffer is not kept for the next response. */
const MAX_KEPT_BYTES = 65_536;

const CR = 13;
const LF = 10;

/** An error that is thrown if a response is not valid HTTP/1.1 or is incomplete. */
export class HttpFormatError extends Error {
  override readonly name = "HttpFormatError";
}

/** Reads the responses of one connection, one after another. */
export class HttpReader {
  readonly #read: ReadSome;
  #buffer = new Uint8Array(FIRST_BYTES);
  /** The index in the buffer of the first received byte that has not been consumed. */
  #start = 0;
  /** The index in the buffer after the last received byte. */
  #end = 0;
  /** A read that {@linkcode HttpReader.begin} started and whose result has not been processed yet. */
  #begun: Promise<number | null> | undefined;

  constructor(read: ReadSome) {
    this.#read = read;
  }

  /** Whether there are received bytes that no response has consumed. */
  get hasRest(): boolean {
    return this.#end > this.#start;
  }

  /**
   * Starts reading before a request is sent, so that the end of an idle connection is detected. Received bytes that
   * have not been consumed are discarded. The bytes that this read receives become part of the next response.
   * @returns A promise that settles when the server sends something or the connection ends.
   */
  begin(): Promise<number | null> {
    if (this.#buffer.length > MAX_KEPT_BYTES) {
      this.#buffer = new Uint8Array(FIRST_BYTES);
    }
    [this.#start, this.#end] = [0, 0];
    return this.#begun = this.#read(this.#buffer);
  }

  /**
   * Reads the next response to a POST request. The next read may overwrite the bytes of its body.
   * @param maxBytes The maximum number of bytes of the body to read.
   * @throws {HttpFormatError} If the response is not valid HTTP or ends early.
   */
  async response(maxBytes: number): Promise<HttpResponse> {
    for (let interim = 0; interim <= MAX_INTERIM; interim++) {
      const head = parseHead(await this.#head());
      if (head.status >= 200) {
        const { status, headers } = head;
        const { bytes, isWhole, isDelimited } = await this.#body(
          head,
          maxBytes,
        );
        const isReusable = isDelimited && isWhole && isPersistent(head);
        return { status, headers, bytes, isWhole, isReusable };
      }
      if (head.status === 101) {
        throw new HttpFormatError(
          "the response upgrades the connection, which was not requested",
        );
      }
    }
    throw new HttpFormatError("the server sent too many interim responses");
  }

  async #head(): Promise<string> {
    for (let from = this.#start;;) {
      const at = headEnd(this.#buffer, { from, end: this.#end });
      const length = (at < 0 ? this.#end : at) - this.#start;
      if (length > MAX_HEAD_BYTES) {
        throw new HttpFormatError(
          `the response's headers have more than ${MAX_HEAD_BYTES} bytes`,
        );
      }
      if (at >= 0) {
        const head = decoder.decode(this.#buffer.subarray(this.#start, at));
        this.#start = at + 4;
        return head;
      }
      await this.#more();
      from = this.#start + Math.max(0, length - 3);
    }
  }

  async #body(
    { status, headers }: Head,
    maxBytes: number,
  ): Promise<FirstBytes & { readonly isDelimited: boolean }> {
    if (status === 204 || status === 304) {
      return { bytes: NOTHING, isWhole: true, isDelimited: true };
    }
    const transfer = headers.get("transfer-encoding");
    if (transfer !== undefined) {
      if (transfer.toLowerCase() !== "chunked") {
        throw new HttpFormatError(
          `the transfer encoding "${transfer.slice(0, 40)}" is not supported`,
        );
      }
      // With both headers, servers may disagree on the end of the body.
      const isDelimited = !headers.has("content-length");
      return { ...await this.#chunks(maxBytes), isDelimited };
    }
    const stated = headers.get("content-length");
    if (stated === undefined) {
      return { ...await this.#untilEnd(maxBytes), isDelimited: false };
    }
    if (!/^\d{1,15}$/.test(stated)) {
      throw new HttpFormatError(
        "the response's content-length is not a number",
      );
    }
    const length = Math.min(Number(stated), maxBytes);
    while (this.#end - this.#start < length) {
      await this.#more(length - (this.#end - this.#start));
    }
    const bytes = this.#take(length);
    return { bytes, isWhole: Number(stated) === length, isDelimited: true };
  }

  async #untilEnd(maxBytes: number): Promise<FirstBytes> {
    while (this.#end - this.#start <= maxBytes) {
      if (!await this.#fill()) {
        return { bytes: this.#take(this.#end - this.#start), isWhole: true };
      }
    }
    return { bytes: this.#take(maxBytes), isWhole: false };
  }

  async #chunks(maxBytes: number): Promise<FirstBytes> {
    const whole = new GrowingBytes();
    for (;;) {
      let left = chunkSize(await this.#line(MAX_CHUNK_HEADER));
      if (left === 0) break;
      while (left > 0) {
        if (!this.hasRest) await this.#more();
        const room = maxBytes - whole.length;
        const piece = this.#take(Math.min(left, this.#end - this.#start, room));
        whole.add(piece);
        left -= piece.length;
        if (left > 0 && whole.length === maxBytes) {
          return { bytes: whole.bytes, isWhole: false };
        }
      }
      if (await this.#line(0) !== "") {
        throw new HttpFormatError("a chunk is malformed");
      }
    }
    for (let rest = MAX_HEAD_BYTES;;) {
      const trailer = await this.#line(rest);
      if (trailer === "") return { bytes: whole.bytes, isWhole: true };
      rest = Math.max(0, rest - trailer.length);
    }
  }

  /** Reads a line and returns it without the line break. */
  async #line(maxLength: number): Promise<string> {
    for (let from = this.#start;;) {
      const at = this.#buffer.indexOf(LF, from);
      if (at >= 0 && at < this.#end) {
        const length = at - this.#start;
        // The byte before an empty line is not part of the line.
        const isEnded = length > 0 && this.#buffer[at - 1] === CR;
        if (!isEnded || length > maxLength + 1) {
          throw new HttpFormatError("a chunk header or trailer is malformed");
        }
        return decoder.decode(this.#take(at + 1 - this.#start).subarray(0, -2));
      }
      const length = this.#end - this.#start;
      if (length > maxLength + 1) {
        throw new HttpFormatError("a chunk header or trailer is too long");
      }
      await this.#more();
      from = this.#start + length;
    }
  }

  /** Consumes and returns bytes. The next read may overwrite them. */
  #take(length: number): Uint8Array {
    const bytes = this.#buffer.subarray(this.#start, this.#start + length);
    this.#start += length;
    return bytes;
  }

  /**
   * Receives more bytes.
   * @param wanted The number of bytes that are still expected, which determines how much the buffer may grow. Default:
   * 1.
   * @throws {HttpFormatError} If the stream has ended.
   */
  async #more(wanted = 1): Promise<void> {
    if (await this.#fill(wanted)) return;
    throw new HttpFormatError(
      "the connection was closed before the response was complete",
    );
  }

  /**
   * Receives more bytes, unless the stream has ended.
   * @returns `false` if the stream has ended, or `true` otherwise.
   */
  async #fill(wanted = 1): Promise<boolean> {
    const begun = this.#begun;
    this.#begun = undefined;
    if (begun === undefined) this.#makeRoom(wanted);
    const count = await (begun ??
      this.#read(this.#buffer.subarray(this.#end)));
    this.#end += count ?? 0;
    return count !== null;
  }

  /**
   * Makes room for more bytes. The buffer at most doubles in size, so that a server cannot make it reserve memory
   * merely by announcing a large body.
   */
  #makeRoom(wanted: number): void {
    const length = this.#end - this.#start;
    if (length === 0) [this.#start, this.#end] = [0, 0];
    if (this.#end + wanted <= this.#buffer.length) return;
    const old = this.#buffer;
    const needed = length + wanted;
    if (this.#end < old.length && needed > 2 * old.length) return;
    if (needed > old.length) {
      this.#buffer = new Uint8Array(
        Math.min(Math.max(needed, 2 * length), 2 * old.length),
      );
    }
    this.#buffer.set(old.subarray(this.#start, this.#end));
    [this.#start, this.#end] = [0, length];
  }
}

const NOTHING = new Uint8Array(0);
const decoder = new TextDecoder();

/** A list of bytes in one buffer. When the buffer is full, it grows to at least twice its size. */
class GrowingBytes {
  #buffer = new Uint8Array(FIRST_BYTES);
  length = 0;

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  add(bytes: Uint8Array): void {
    const needed = this.length + bytes.length;
    if (needed > this.#buffer.length) {
      const old = this.bytes;
      this.#buffer = new Uint8Array(Math.max(needed, 2 * old.length));
      this.#buffer.set(old);
    }
    this.#buffer.set(bytes, this.length);
    this.length = needed;
  }
}

/** Returns the index of the two line breaks that end a head, or -1 if they have not been received. */
function headEnd(
  buffer: Uint8Array,
  { from, end }: { from: number; end: number },
): number {
  for (let at = buffer.indexOf(CR, from); at >= 0 && at + 3 < end;) {
    if (
      buffer[at + 1] === LF && buffer[at + 2] === CR && buffer[at + 3] === LF
    ) return at;
    at = buffer.indexOf(CR, at + 1);
  }
  return -1;
}

/** The parsed head of a response. */
interface Head {
  readonly minor: string;
  readonly status: number;
  /** The headers, keyed by lowercase name. The values of repeated headers are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\r\n]*)?$/;
/**
 * Matches a header line that contains no control characters except tabs. Another parser could treat a control
 * character, such as a line feed, as the end of the line.
 */
const FIELD_VALUE = /^(?:\t|\P{Cc})*$/u;
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

function parseHead(text: string): Head {
  const [first = "", ...lines] = text.split("\r\n");
  const [, minor, status] = STATUS_LINE.exec(first) ?? [];
  if (minor === undefined) {
    throw new HttpFormatError("the response is not HTTP/1.1");
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(line)) {
      throw new HttpFormatError("a header of the response is malformed");
    }
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { minor, status: Number(status), headers };
}

function isPersistent({ minor, headers }: Head): boolean {
  const options = (headers.get("connection") ?? "").toLowerCase();
  return minor === "1" ? !options.includes("close") : false;
}

function chunkSize(line: string): number {
  const [, digits] = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i.exec(line) ?? [];
  if (digits !== undefined) return parseInt(digits, 16);
  throw new HttpFormatError("the size of a chunk is malformed");
}
