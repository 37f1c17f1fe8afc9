/**
 * `fetch` as the `openai` package is given it: with lean headers, and with the errors of every server in the form
 * that the package reads.
 */

import { ACCEPT_ENCODING, boundedText } from "./bounded_body.ts";
import { errorIn, readServerError } from "./server_error.ts";

/**
 * Makes the `fetch` of a client. It sends the headers of the first call, telemetry left out: all calls of a
 * client have the same, and to make them anew is a tenth of what a call costs.
 * @param onResponse Hears each answer before its body is read, and is not to read it.
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
 * The package keeps only what stands under `error`, where not every server puts it: there it finds the error as it
 * was read, a {@linkcode ServerError}.
 */
async function withNestedError(response: Response): Promise<Response> {
  const { text } = await boundedText(response);
  const { status, headers } = response;
  const said = errorIn(parseOrNull(text)) ?? { message: text };
  const error = readServerError(said, { status, headers });
  return Response.json({ error }, { status });
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // its text says what it says
  }
}
