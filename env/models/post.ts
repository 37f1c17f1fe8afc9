/**
 * Defines the interface of functions that send POST requests and read whole responses, and implements it with `fetch`.
 */

import { ACCEPT_ENCODING, boundedText } from "./bounded_body.ts";

/** A response whose body was read as a whole. */
export interface Posted {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** The decompressed body, truncated to `MAX_BODY_BYTES`. */
  readonly text: string;
  /** The reason why `text` is truncated or empty, or `null` if it is complete. */
  readonly fault: string | null;
}

/** Options for {@linkcode Post}. */
export interface PostOptions {
  /** The headers to send in addition to {@linkcode POST_HEADERS}. */
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON body. If it consists of bytes, they must not change until the returned promise has settled. */
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** The number of bytes before `body` in its buffer that may be overwritten. Default: 0. */
  readonly headRoom?: number;
  readonly signal: AbortSignal;
}

/**
 * Sends a request and reads its response. Redirects are not followed: they would let the server choose who receives the
 * body and the headers.
 * @throws The network error if the connection breaks, or the signal's reason if it is aborted.
 */
export type Post = (url: string, options: PostOptions) => Promise<Posted>;

/** The headers of every request. */
export const POST_HEADERS = {
  "content-type": "application/json",
  "accept-encoding": ACCEPT_ENCODING,
} as const;

/** Sends POST requests with `fetch`. */
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
