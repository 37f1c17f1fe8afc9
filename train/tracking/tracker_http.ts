/** Calls of trackers that are reached over HTTP: JSON there and back, and errors that say whether to try again. */

import { messageOf } from "../../env/errors.ts";
import { ACCEPT_ENCODING, boundedText } from "../../env/models/bounded_body.ts";
import type { CallOptions } from "../../env/types.ts";
import { parseJson } from "../runs/versions.ts";
import { TrackerError } from "./run_tracker.ts";

/** Until a server is taken for gone, though it took the connection. */
const TIMEOUT_MS = 10_000;

/** A server of a tracker. */
export interface TrackerServer {
  /** How messages call it: `MLflow`. */
  readonly title: string;
  /** Without a slash at its end. */
  readonly url: string;
  /** Who calls; never quoted in a message. */
  readonly authorization?: string | undefined;
  /** Further headers of each request; never quoted either. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What to do where it refuses who calls. */
  readonly credentials: string;
}

/** A request. */
export interface TrackerCall extends CallOptions {
  readonly method?: "GET" | "POST" | "PUT";
  /** JSON, or as it is. */
  readonly body?: object | string;
}

/**
 * Asks a server.
 * @returns Its JSON; `undefined` where it answered something else.
 * @throws {TrackerError} If it does not answer, or answers by an error; also the signal's reason.
 */
export async function callTracker(
  server: TrackerServer,
  path: string,
  { method = "POST", body, signal }: TrackerCall,
): Promise<unknown> {
  const late = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        "accept-encoding": ACCEPT_ENCODING,
        ...server.headers,
        ...(typeof body === "object"
          ? { "content-type": "application/json" }
          : {}),
        ...(server.authorization === undefined
          ? {}
          : { authorization: server.authorization }),
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    });
    const { text } = await boundedText(response);
    if (!response.ok) throw refusal(server, response.status, text);
    return parseJson(text);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof TrackerError) throw error;
    const why = late.aborted
      ? `gave no answer within ${TIMEOUT_MS / 1000} s`
      : `cannot be reached (${messageOf(error)})`;
    throw new TrackerError(`${server.title} at ${server.url} ${why}`, {
      isPassing: true,
      cause: error,
    });
  }
}

/** The error of an answer that is none. */
function refusal(
  { title, url, credentials }: TrackerServer,
  status: number,
  text: string,
): TrackerError {
  const isPassing = status >= 500 || status === 429 || status === 408;
  const isStranger = status === 401 || status === 403;
  return new TrackerError(
    `${title} at ${url} answered ${status}: ${text.trim().slice(0, 200)}`,
    { isPassing, ...(isStranger ? { hint: credentials } : {}) },
  );
}
