/** Which models an endpoint has, for errors that name them. */

import type { CallOptions } from "../types.ts";
import { ACCEPT_ENCODING, boundedText } from "./bounded_body.ts";
import { isRecord, recordsIn, wordsIn } from "./loose_fields.ts";
import type { Endpoint } from "./endpoints.ts";

/** Until an endpoint is taken to have no list. */
const TIMEOUT_MS = 5000;

/** An endpoint's list, and where it was found. */
export interface ModelList {
  /** The endpoint's own, or that with `/v1` where only this one answers. */
  readonly baseUrl: string;
  readonly names: readonly string[];
}

/** Asks an endpoint for its models. @returns `null` where it does not tell. */
export async function findModels(
  { baseUrl, apiKey }: Endpoint,
  options: CallOptions = {},
): Promise<ModelList | null> {
  for (const url of [baseUrl, `${baseUrl}/v1`]) {
    const names = await namesAt(url, { ...options, apiKey });
    if (names !== null) return { baseUrl: url, names };
  }
  return null;
}

async function namesAt(
  baseUrl: string,
  { apiKey, signal }: CallOptions & { apiKey: string },
): Promise<string[] | null> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(`${baseUrl}/models`, {
      headers: {
        authorization: `Bearer ${apiKey}`,
        "accept-encoding": ACCEPT_ENCODING,
      },
      signal: signal === undefined
        ? timeout
        : AbortSignal.any([signal, timeout]),
    });
    const { text } = await boundedText(response);
    const list: unknown = JSON.parse(text);
    if (!isRecord(list) || !Array.isArray(list["data"])) return null;
    return recordsIn(list["data"]).map(({ id }) => wordsIn(id))
      .filter((id) => id !== undefined);
  } catch {
    signal?.throwIfAborted();
    return null; // the list only helps to say what is wrong
  }
}
