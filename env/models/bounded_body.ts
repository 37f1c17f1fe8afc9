/**
 * Reads response bodies with a limit on both their compressed and decompressed size. A server that streams forever or
 * sends a decompression bomb therefore costs only one failed request and a bounded amount of memory.
 *
 * The time is limited only by the request's signal.
 */

import zlib from "node:zlib";

/**
 * Maximum size of a body in bytes, before and after decompression. The largest legitimate responses, with the log
 * probabilities of 100,000 tokens, take a few megabytes.
 */
export const MAX_BODY_BYTES = 16 * 2 ** 20;

/** The `accept-encoding` header to send. Without this header, Deno's `fetch` decompresses responses without a limit. */
export const ACCEPT_ENCODING = "identity";

/** A response body that was read as text. */
export interface BoundedText {
  /** The decoded text. Ill-formed UTF-8 becomes U+FFFD. */
  readonly text: string;
  /** The reason why `text` is truncated or empty, or `null` if it is complete. */
  readonly fault: string | null;
}

/**
 * Reads the body of a response as text. The request must have sent {@linkcode ACCEPT_ENCODING}. If the server
 * compressed the body anyway, the body is decompressed.
 * @param options.maxBytes The maximum size in bytes, before and after decompression. A larger body is truncated or, if
 * it is compressed, results in an empty text. Default: {@linkcode MAX_BODY_BYTES}.
 * @throws The network error if the connection breaks, or the reason of the request's signal if it is aborted.
 */
export async function boundedText(
  response: Response,
  { maxBytes = MAX_BODY_BYTES }: { readonly maxBytes?: number } = {},
): Promise<BoundedText> {
  const encodings = encodingsOf(response.headers);
  const length = response.headers.get("content-length") ?? "";
  const isStated = /^\d+$/.test(length) && Number(length) <= maxBytes;
  if (encodings.length === 0 && isStated) {
    // A body with a `content-length` cannot exceed it and is read at once.
    return { text: await response.text(), fault: null };
  }
  return unpackedText(await firstBytes(response, maxBytes), {
    headers: response.headers,
    maxBytes,
  });
}

/** The first bytes of a body, up to a limit. */
export interface FirstBytes {
  readonly bytes: Uint8Array;
  /** Whether the body ended within the limit. */
  readonly isWhole: boolean;
}

/**
 * Decompresses and decodes a body as its headers specify. If the body exceeds the limit or cannot be decompressed,
 * `fault` in the result gives the reason.
 */
export function unpackedText(
  { bytes, isWhole }: FirstBytes,
  { headers, maxBytes }: {
    readonly headers: { get(name: string): string | null };
    readonly maxBytes: number;
  },
): BoundedText {
  const encodings = encodingsOf(headers);
  if (encodings.length === 0) {
    const fault = isWhole ? null : tooLong(maxBytes);
    return { text: textOf(bytes), fault };
  }
  if (!isWhole) return { text: "", fault: tooLong(maxBytes) };
  try {
    const plain = encodings.reduceRight(
      (packed, encoding) => unpacked(packed, { encoding, maxBytes }),
      bytes,
    );
    return { text: textOf(plain), fault: null };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isLong = "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    const fault = isLong
      ? tooLong(maxBytes)
      : `the response body cannot be decompressed: ${error.message}`;
    return { text: "", fault };
  }
}

function tooLong(maxBytes: number): string {
  return `the response body has more than ${maxBytes} bytes`;
}

/** Initial buffer size in bytes, which is enough for most responses. */
const FIRST_BYTES = 65_536;

/**
 * Reads the body up to the limit into one buffer, which doubles in size when it is full. A list of chunks would take
 * many times the memory if the chunks were tiny.
 */
async function firstBytes(
  { body }: Response,
  maxBytes: number,
): Promise<FirstBytes> {
  let buffer = new Uint8Array(Math.min(FIRST_BYTES, maxBytes));
  let length = 0;
  // Leaving the loop cancels the body, which closes the connection.
  for await (const chunk of body ?? []) {
    const taken = chunk.subarray(0, maxBytes - length);
    const needed = length + taken.length;
    if (needed > buffer.length) {
      const larger = Math.min(maxBytes, Math.max(needed, 2 * buffer.length));
      const old = buffer;
      buffer = new Uint8Array(larger);
      buffer.set(old.subarray(0, length));
    }
    buffer.set(taken, length);
    length = needed;
    if (taken.length < chunk.length) {
      return { bytes: buffer.subarray(0, length), isWhole: false };
    }
  }
  return { bytes: buffer.subarray(0, length), isWhole: true };
}

/** Returns the content encodings in the order in which they were applied. */
function encodingsOf(
  headers: { get(name: string): string | null },
): string[] {
  return (headers.get("content-encoding") ?? "").toLowerCase().split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
}

/**
 * Decompresses bytes.
 * @throws {Error} If the encoding is not supported, the bytes are not valid, or the result exceeds the limit.
 */
function unpacked(
  bytes: Uint8Array,
  { encoding, maxBytes }: { encoding: string; maxBytes: number },
): Uint8Array {
  const options = { maxOutputLength: maxBytes };
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return zlib.gunzipSync(bytes, options);
    case "deflate":
      return zlib.inflateSync(bytes, options);
    case "br":
      return zlib.brotliDecompressSync(bytes, options);
    default:
      throw new Error(
        `the encoding "${encoding.slice(0, 40)}" is not supported`,
      );
  }
}

const decoder = new TextDecoder();

/** Decodes UTF-8 and drops a byte order mark, as `Response.text()` does. */
function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
