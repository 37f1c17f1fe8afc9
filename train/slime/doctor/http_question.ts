/** Sends a single HTTP request and validates the JSON in the response. */

import { parseJson } from "../../runs/versions.ts";
import { messageOf } from "../../../env/errors.ts";
import {
  ACCEPT_ENCODING,
  boundedText,
} from "../../../env/models/bounded_body.ts";
import { quoted } from "../../../env/models/redact.ts";
import type { z } from "zod";
import type { CallOptions } from "../../../env/types.ts";

/** The result of {@linkcode askJson}. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | {
    readonly ok: false;
    /** A description of the error, such as `answered 404: no such page`. */
    readonly fault: string;
    /** The HTTP status; `null` if there was no response. */
    readonly status: number | null;
  };

/** The default time limit of a request. */
const TIMEOUT_MS = 10_000;

/**
 * Requests JSON and validates it. Every failure except an abort is returned as a `fault`.
 * @param options.token The bearer token to send. Default: none.
 * @throws The signal's reason, if it is aborted.
 */
export async function askJson<T>(
  url: string,
  { schema, token, signal, timeoutMs = TIMEOUT_MS }: CallOptions & {
    readonly schema: z.ZodType<T>;
    readonly token?: string | undefined;
    readonly timeoutMs?: number;
  },
): Promise<Answer<T>> {
  const late = AbortSignal.timeout(timeoutMs);
  const shown = (text: string) =>
    quoted(text, token === undefined ? [] : [token], { maxLength: 200 });
  try {
    const response = await fetch(url, {
      headers: {
        "accept-encoding": ACCEPT_ENCODING,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    });
    const { text } = await boundedText(response);
    const { status } = response;
    if (!response.ok) {
      const said = shown(text.trim());
      const fault = `answered ${status}${said === "" ? "" : `: ${said}`}`;
      return { ok: false, status, fault };
    }
    const parsed = schema.safeParse(parseJson(text));
    if (parsed.success) return { ok: true, value: parsed.data };
    const fault = text.trim() === ""
      ? "returned an empty answer"
      : `returned an unexpected answer: ${shown(text)}`;
    return { ok: false, status, fault };
  } catch (error) {
    signal?.throwIfAborted();
    const fault = late.aborted
      ? `did not answer within ${timeoutMs / 1000} s`
      : `does not answer (${reasonOf(error)})`;
    return { ok: false, status: null, fault };
  }
}

/**
 * Returns the operating system's message, which is the last part of Deno's error message. If there is none, returns the
 * first 200 characters of the whole message.
 */
function reasonOf(error: unknown): string {
  const message = messageOf(error);
  const [, system] = /: ([^:]+ \(os error \d+\))/.exec(message) ?? [];
  return system ?? message.slice(0, 200);
}
