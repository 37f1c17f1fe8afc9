/**
 * Provides a `fetch` function for the `openai` package. It sends few headers, and converts the error responses of all
 * servers to the format that the package reads.
 */

import { ACCEPT_ENCODING, boundedText } from "./bounded_body.ts";
import { bodyAsError, errorIn, readServerError } from "./server_error.ts";

/**
 * Creates the `fetch` function of a client. All calls of a client have the same headers, so the function reuses the
 * headers of the first call. It removes the telemetry headers and adds {@linkcode ACCEPT_ENCODING}. Creating new
 * headers would take a tenth of each call's time.
 * @param onResponse Called with each response before its body is read. It must not read the body.
 */
export function apiFetch(
  onResponse: (response: Response) => void = () => {},
): typeof fetch {
  let headers: [string, string][] | undefined;
  return async (input, init = {}) => {
    headers ??= leanHeaders(init.headers);
    const { method = "GET", body = null, signal = null } = init;
    const response = await fetch(input, { method, body, signal, headers });
    onResponse(response);
    return response.ok ? response : await withNestedError(response);
  };
}

function leanHeaders(given: HeadersInit | undefined): [string, string][] {
  const headers = new Headers(given);
  headers.set("accept-encoding", ACCEPT_ENCODING);
  return [...headers].filter(([name]) =>
    !name.startsWith("x-stainless") && name !== "content-length"
  );
}

/**
 * Returns an error response whose body has the parsed {@linkcode ServerError} in its `error` field. Servers return
 * errors in various fields, but the `openai` package reads only this field.
 */
async function withNestedError(response: Response): Promise<Response> {
  const { text } = await boundedText(response);
  const { status, headers } = response;
  const said = errorIn(parseOrNull(text)) ?? bodyAsError(text);
  const error = readServerError(said, { status, headers });
  return Response.json({ error }, { status });
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // not JSON: the error is read from the text
  }
}
