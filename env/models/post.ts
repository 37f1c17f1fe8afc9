/** POST requests that are answered as a whole, whatever sends them. */

import { ACCEPT_ENCODING, boundedText } from "./bounded_body.ts";

/** A complete response. */
export interface Posted {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** The decompressed body, at most `MAX_BODY_BYTES`. */
  readonly text: string;
  /** Why `text` is truncated or empty; `null` if it is complete. */
  readonly fault: string | null;
}

/** A request's parts. */
export interface PostOptions {
  /** In addition to those that every request has. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. Bytes must not change until the promise has settled. */
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** The number of bytes before `body` in its buffer that may be overwritten. Default: 0. */
  readonly headRoom?: number;
  readonly signal: AbortSignal;
}

/**
 * Sends a request and reads its response. Redirects are not followed: they would let the server choose who receives the
 * body and the headers.
 * @throws The error that broke the connection, or the signal's reason.
 */
export type Post = (url: string, options: PostOptions) => Promise<Posted>;

/** The headers of every request. */
export const POST_HEADERS = {
  "content-type": "application/json",
  "accept-encoding": ACCEPT_ENCODING,
} as const;

/** Posts with `fetch`. */
export const fetchPost: Post = async (url, { headers, body, signal }) => {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...POST_HEADERS, ...headers },
    body,
    signal,
    redirect: "manual",
  });
  const { text, fault } = await boundedText(response);
  return { status: response.status, headers: response.headers, text, fault };
};
