/**
 * Bodies of answers, bounded in bytes as they come and as they are decompressed: a server that never ends an answer, or
 * sends megabytes that decompress to gigabytes, costs one request and no more memory than an answer may have.
 *
 * How long a body may take is the bound of the request's signal.
 */

import zlib from "node:zlib";

/**
 * Most bytes of a body, before and after it is decompressed. The largest answers, log probabilities of a hundred
 * thousand ids, have some megabytes.
 */
export const MAX_BODY_BYTES = 16 * 2 ** 20;

/**
 * What a request's `accept-encoding` should say. Deno's `fetch` decompresses without a bound unless a request names
 * its encodings itself.
 */
export const ACCEPT_ENCODING = "identity";

/** A body that was read. */
export interface BoundedText {
  /** Ill-formed UTF-8 as U+FFFD. */
  readonly text: string;
  /** Why `text` is not all of the body, or nothing of it; `null` where it is whole. */
  readonly fault: string | null;
}

/**
 * Reads the body of a response whose request sent {@linkcode ACCEPT_ENCODING}; a server that compresses all the same is
 * understood.
 * @param options.maxBytes Default: {@linkcode MAX_BODY_BYTES}. What is beyond is neither read nor decompressed.
 * @throws What broke the connection, or the signal's reason.
 */
export async function boundedText(
  response: Response,
  { maxBytes = MAX_BODY_BYTES }: { readonly maxBytes?: number } = {},
): Promise<BoundedText> {
  const encodings = encodingsOf(response.headers);
  const length = response.headers.get("content-length") ?? "";
  const isStated = /^\d+$/.test(length) && Number(length) <= maxBytes;
  if (encodings.length === 0 && isStated) {
    // A body of stated length is no longer than that, and is read at once.
    return { text: await response.text(), fault: null };
  }
  const { bytes, isWhole } = await firstBytes(response, maxBytes);
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
      : `its body cannot be decompressed: ${error.message}`;
    return { text: "", fault };
  }
}

function tooLong(maxBytes: number): string {
  return `its body has more than ${maxBytes} bytes`;
}

/** Where most answers fit. */
const FIRST_BYTES = 65_536;

/** Copies into one buffer that doubles: a body of many tiny chunks would cost a list many times its length. */
async function firstBytes(
  { body }: Response,
  maxBytes: number,
): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
  let buffer = new Uint8Array(Math.min(FIRST_BYTES, maxBytes));
  let length = 0;
  // Leaving the loop cancels the body, and so closes the connection.
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

/** In the order in which they were applied. */
function encodingsOf(headers: Headers): string[] {
  return (headers.get("content-encoding") ?? "").toLowerCase().split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
}

/** @throws {Error} If the bytes are not of the encoding, or have too many decompressed. */
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
      throw new Error(`its encoding "${encoding.slice(0, 40)}" is not known`);
  }
}

const decoder = new TextDecoder();

/** A byte order mark is left out, as `Response.text()` does. */
function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
