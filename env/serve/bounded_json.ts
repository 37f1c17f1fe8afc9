/** Reads request bodies as JSON, with limits on size and time. */

import type { Context } from "hono";
import { messageOf } from "../errors.ts";
import { RequestError } from "./served_policy.ts";

/** The limits on a request body. */
export interface BodyLimits {
  /** The maximum size of the body, in bytes. Default: 1 MiB. */
  readonly maxBytes?: number;
  /** The time within which the whole body must arrive, in milliseconds. Default: 30 s. */
  readonly timeoutMs?: number;
}

/** The default maximum size of a request body, in bytes. */
export const MAX_BYTES = 2 ** 20;
/** The default time within which a request body must arrive, in milliseconds. */
const TIMEOUT_MS = 30_000;

/**
 * Reads a body as JSON. An empty body counts as an empty object, so that errors name the missing field.
 * @throws {RequestError} If the body is not JSON (400), does not arrive in time (408) or is too large (413).
 */
export async function jsonOf(
  c: Context,
  limits?: BodyLimits,
): Promise<unknown> {
  const text = await textOf(c, limits);
  try {
    return JSON.parse(text || "{}");
  } catch (error) {
    throw new RequestError(`The body is not JSON: ${messageOf(error)}`);
  }
}

/**
 * Reads a body as text.
 * @throws {RequestError} If the body does not arrive in time (408) or is too large (413).
 */
export async function textOf(
  c: Context,
  { maxBytes = MAX_BYTES, timeoutMs = TIMEOUT_MS }: BodyLimits = {},
): Promise<string> {
  const { body, headers } = c.req.raw;
  if (Number(headers.get("content-length")) > maxBytes) throw large(maxBytes);
  const bytes = body === null
    ? new Uint8Array(0)
    : await readAll(body, { maxBytes, timeoutMs });
  return new TextDecoder().decode(bytes);
}

async function readAll(
  body: ReadableStream<Uint8Array>,
  { maxBytes, timeoutMs }: Required<BodyLimits>,
): Promise<Uint8Array> {
  const reader = body.getReader();
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => {}); // in case nothing awaits it anymore
  const timer = setTimeout(
    () =>
      late.reject(
        new RequestError(
          `The body did not arrive within ${timeoutMs / 1000} s`,
          408,
        ),
      ),
    timeoutMs,
  );
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { value, done } = await Promise.race([reader.read(), late.promise]);
      if (done) return joined(chunks, length);
      length += value.length;
      if (length > maxBytes) throw large(maxBytes);
      chunks.push(value);
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function large(maxBytes: number): RequestError {
  return new RequestError(`The body is larger than ${maxBytes} bytes`, 413);
}
