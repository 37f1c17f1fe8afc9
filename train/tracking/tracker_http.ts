/** HTTP calls to trackers: JSON requests and responses, with errors that say whether a retry may succeed. */

import { messageOf } from "../../env/errors.ts";
import { ACCEPT_ENCODING, boundedText } from "../../env/models/bounded_body.ts";
import type { CallOptions } from "../../env/types.ts";
import { parseJson } from "../runs/versions.ts";
import { TrackerError } from "./run_tracker.ts";

/** The timeout of a request. */
const TIMEOUT_MS = 10_000;

/** The server of a tracker. */
export interface TrackerServer {
  /** The name of the tracker in messages: `MLflow`. */
  readonly title: string;
  /** The URL, without a trailing slash. */
  readonly url: string;
  /** The value of the `Authorization` header; never included in a message. */
  readonly authorization?: string | undefined;
  /** Additional headers of each request; never included in a message. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The hint for the error if the server rejects the credentials. */
  readonly credentials: string;
}

/** A request to a tracker's server. */
export interface TrackerCall extends CallOptions {
  readonly method?: "GET" | "POST" | "PUT";
  /** An object to send as JSON, or text or bytes to send unchanged. */
  readonly body?: object | string | Uint8Array<ArrayBuffer>;
}

/**
 * Sends a request to a tracker's server.
 * @returns The JSON of the response; `undefined` if it is not JSON.
 * @throws {TrackerError} If the server does not answer, or answers with an error. If the signal is aborted, its reason
 * is thrown instead.
 */
export async function callTracker(
  server: TrackerServer,
  path: string,
  { method = "POST", body, signal }: TrackerCall,
): Promise<unknown> {
  const isJson = typeof body === "object" && !(body instanceof Uint8Array);
  const late = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        "accept-encoding": ACCEPT_ENCODING,
        ...server.headers,
        ...(isJson ? { "content-type": "application/json" } : {}),
        ...(server.authorization === undefined
          ? {}
          : { authorization: server.authorization }),
      },
      ...(body === undefined
        ? {}
        : { body: isJson ? JSON.stringify(body) : body }),
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    });
    const { text } = await boundedText(response);
    if (!response.ok) throw refusal(server, response.status, text);
    return parseJson(text);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof TrackerError) throw error;
    const why = late.aborted
      ? `did not answer within ${TIMEOUT_MS / 1000} s`
      : `cannot be reached (${messageOf(error)})`;
    throw new TrackerError(`${server.title} at ${server.url} ${why}`, {
      isPassing: true,
      cause: error,
    });
  }
}

/** Returns the error for an unsuccessful response. */
function refusal(
  { title, url, credentials }: TrackerServer,
  status: number,
  text: string,
): TrackerError {
  const isPassing = status >= 500 || status === 429 || status === 408;
  const isStranger = status === 401 || status === 403;
  const excerpt = text.trim().slice(0, 200);
  return new TrackerError(
    `${title} at ${url} answered with status ${status}${
      excerpt === "" ? "" : `: ${excerpt}`
    }`,
    { isPassing, ...(isStranger ? { hint: credentials } : {}) },
  );
}
