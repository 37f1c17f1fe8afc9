/**
 * Creates token models that call servers through SGLang's `/generate` API, which takes token ids and returns ids with
 * log probabilities.
 *
 * @see sgl-project/sglang, python/sglang/srt/managers/io_struct.py (GenerateReqInput) and sampling/sampling_params.py.
 */

import type { GenerateRequest, TokenModel } from "../types.ts";
import { type Caller, CallFailure } from "./call_policy.ts";
import { bodyWithIds, HEAD_ROOM } from "./id_list_bytes.ts";
import type { Meter } from "./meter.ts";
import { fetchPost, type Post, type Posted, type PostOptions } from "./post.ts";
import { quoted } from "./redact.ts";
import { isRecord } from "./loose_fields.ts";
import {
  bodyAsError,
  EMPTY_BODY,
  errorIn,
  readServerError,
} from "./server_error.ts";
import { type Generated, readGenerated } from "./sglang_answer.ts";

/** Options for {@linkcode sglangTokenModel}. */
export interface SglangOptions {
  /** The URL of the server or router, without `/v1`, such as `http://127.0.0.1:30000`. */
  readonly url: string;
  /** The model's name in records and price lists. */
  readonly model: string;
  /** Maximum number of tokens in the prompt and the answer together. */
  readonly contextLength: number;
  readonly caller: Caller;
  readonly meter: Meter;
  /** The API key, if the server requires one. */
  readonly apiKey?: string;
  /** Sends the requests. Default: `fetch`. */
  readonly post?: Post;
  /**
   * Additional sampling parameters with SGLang's names, such as `{ top_k: 20 }`. Default: none, so that the
   * distribution is not truncated.
   */
  readonly sampling?: Readonly<Record<string, unknown>>;
}

/**
 * Creates a token model that calls a server. Each request names its session, so that a router can send all requests of
 * the session to the worker that has cached its prefix.
 */
export function sglangTokenModel(options: SglangOptions): TokenModel {
  const { model, contextLength, caller, meter } = options;
  const server = { ...options, url: options.url.replace(/(?<!\/)\/+$/, "") };
  return {
    name: model,
    contextLength,
    async generate(request) {
      meter.signal.throwIfAborted();
      const { value, retries } = await caller.call({
        seed: request.seed,
        attempt: (signal) => attempt(server, request, signal),
        signal: request.signal,
      });
      const usage = meter.record({ source: "model", model }, {
        promptTokens: value.promptTokens,
        cachedTokens: value.cachedTokens,
        completionTokens: value.result.ids.length,
        retries,
      });
      return { ...value.result, usage };
    },
  };
}

/**
 * Sends one request and reads the answer. If the signal is aborted, asks the server to stop the generation.
 * @throws {CallFailure} If the request fails or its answer cannot be used.
 */
async function attempt(
  options: SglangOptions,
  request: GenerateRequest,
  signal: AbortSignal,
): Promise<Generated> {
  const rid = crypto.randomUUID();
  try {
    const response = await post(options, "/generate", {
      body: generateBody(rid, request, options.sampling),
      headRoom: HEAD_ROOM,
      session: request.session,
      signal,
    });
    return readAnswer(response, options);
  } catch (error) {
    // Stop the generation on the server. A failure of this request is ignored.
    if (signal.aborted) {
      await post(options, "/abort_request", {
        body: JSON.stringify({ rid }),
        session: request.session,
        signal: AbortSignal.timeout(1000),
      }).catch(() => {});
    }
    throw error;
  }
}

/**
 * Encodes the request. Unless `sampling` overrides them, the request's parameters do not truncate the model's
 * distribution, so that the log probabilities are the policy's.
 */
function generateBody(
  ...[rid, request, sampling = {}]: [
    rid: string,
    request: GenerateRequest,
    sampling?: SglangOptions["sampling"],
  ]
): Uint8Array<ArrayBuffer> {
  const rest = JSON.stringify({
    rid,
    return_logprob: true,
    sampling_params: {
      max_new_tokens: request.maxTokens,
      temperature: request.temperature,
      top_p: 1,
      top_k: -1,
      stop_token_ids: request.stopIds,
      sampling_seed: request.seed % 2 ** 31,
      skip_special_tokens: false,
      spaces_between_special_tokens: false,
      no_stop_trim: true,
      ...sampling,
    },
  });
  return bodyWithIds(request.ids, rest);
}

function post(
  { url, apiKey, post = fetchPost }: SglangOptions,
  path: string,
  { session, ...options }: Omit<PostOptions, "headers"> & {
    readonly session: string;
  },
): Promise<Posted> {
  return post(`${url}${path}`, {
    headers: {
      // Session names may contain characters that headers may not.
      "x-smg-routing-key": encodeURIComponent(session),
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    },
    ...options,
  });
}

/** Maximum number of characters of an answer to quote in an error. */
const MAX_QUOTED = 300;

function readAnswer(
  { status, headers, text, fault }: Posted,
  { url, apiKey = "" }: SglangOptions,
): Generated {
  const isOk = status >= 200 && status < 300;
  const quote = (words: string) =>
    quoted(words, [apiKey], { maxLength: MAX_QUOTED });
  const body = fault === null || !isOk ? parseOrNull(text) : null;
  // A gateway may respond with 200 and report the engine's failure in the body.
  const error = isRecord(body) && "meta_info" in body ? null : errorIn(body);
  if (!isOk || error !== null) {
    const origin = isOk ? {} : { status, headers };
    const said = error ?? bodyAsError(text);
    const { words, ...read } = readServerError(said, origin);
    throw new CallFailure(
      `${url}/generate answered ${status}: ${quote(words)}`,
      read,
    );
  }
  try {
    return readGenerated(body);
  } catch (error) {
    if (!(error instanceof CallFailure)) throw error;
    const said = [fault, text].filter(Boolean).join(": ") || EMPTY_BODY;
    const shown = error.kind === "bad_response" ? `: ${quote(said)}` : "";
    throw new CallFailure(
      `${url}/generate ${quote(error.message)}${shown}`,
      error,
    );
  }
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // readGenerated() rejects it
  }
}
