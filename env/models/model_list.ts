/** Lists the models of an endpoint for error messages. */

import type { CallOptions } from "../types.ts";
import { ACCEPT_ENCODING, boundedText } from "./bounded_body.ts";
import { isRecord, recordsIn, wordsIn } from "./loose_fields.ts";
import type { Endpoint } from "./endpoints.ts";

/** Timeout of each request, in milliseconds. A URL that takes longer is treated as providing no list. */
const TIMEOUT_MS = 5000;

/** The models of an endpoint. */
export interface ModelList {
  /**
   * The base URL that returned the list: the endpoint's base URL or, if that URL provides no list, the same URL with
   * `/v1` appended.
   */
  readonly baseUrl: string;
  readonly names: readonly string[];
}

/**
 * Requests an endpoint's list of models.
 * @returns The list, or `null` if the endpoint provides no list.
 * @throws The signal's reason if it is aborted.
 */
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
    return null; // the list only improves an error message
  }
}
