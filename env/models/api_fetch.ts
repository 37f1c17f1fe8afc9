/**
 * `fetch` as the `openai` package is given it: with lean headers, and with the errors of every server in the form
 * that the package reads.
 */

import { ACCEPT_ENCODING, boundedText } from "./bounded_body.ts";

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
 * The package keeps only what stands under `error`. SGLang answers with the error itself, Gemini with a list of
 * one, web frameworks with `detail`; their words would be lost.
 */
async function withNestedError(response: Response): Promise<Response> {
  const { text } = await boundedText(response);
  const { status } = response;
  const headers = new Headers(response.headers);
  // They speak of the bytes that came.
  for (const name of ["content-length", "content-encoding"]) {
    headers.delete(name);
  }
  const error = errorIn(parseOrNull(text));
  const body = error === null ? text : JSON.stringify({ error });
  return new Response(body, { status, headers });
}

/**
 * What a body says went wrong.
 * @returns An object with a `message`, or `null` where the body does not say.
 */
export function errorIn(body: unknown): Record<string, unknown> | null {
  if (Array.isArray(body)) return errorIn(body[0]);
  if (!isRecord(body)) return null;
  const said = body["error"] ?? body["detail"];
  if (typeof said === "string") return { message: said };
  if (isRecord(said)) return said;
  if (said !== undefined) return { message: JSON.stringify(said) };
  return typeof body["message"] === "string" ? body : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // its text says what it says
  }
}
