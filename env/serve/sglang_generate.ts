/**
 * Serves SGLang's `/generate` API, which takes ids or text and returns ids with log probabilities.
 *
 * @see sgl-project/sglang, python/sglang/srt/managers/io_struct.py and sampling/sampling_params.py.
 */

import { z } from "zod";
import { InfrastructureError } from "../errors.ts";
import { mayFit } from "../tokens/may_fit.ts";
import type { CachedResult, PrefixSessions } from "./prefix_sessions.ts";
import { readBody } from "./read_body.ts";
import { RequestError, type ServedPolicy } from "./served_policy.ts";

const samplingSchema = z.looseObject({
  max_new_tokens: z.int().min(1).default(128),
  temperature: z.number().min(0).default(1),
  top_p: z.literal(1).default(1),
  top_k: z.literal(-1).default(-1),
  stop: z.union([z.null(), z.literal(""), z.array(z.never())]).default(null),
  stop_token_ids: z.array(z.int()).nullable().default(null),
  ignore_eos: z.boolean().default(false),
  sampling_seed: z.int().min(0).nullable().default(null),
  n: z.literal(1).default(1),
});

const requestSchema = z.looseObject({
  rid: z.string().optional(),
  input_ids: z.array(z.int().min(0)).min(1).optional(),
  text: z.string().min(1).optional(),
  sampling_params: samplingSchema.prefault({}),
  return_logprob: z.boolean().default(false),
  stream: z.boolean().default(false),
}).refine(
  ({ input_ids, text }) => (input_ids === undefined) !== (text === undefined),
  'must have either "input_ids" or "text"',
);

/** A parsed request to `/generate`. */
export type GenerateBody = z.infer<typeof requestSchema>;

/**
 * Parses a request.
 * @throws {RequestError} If the request is invalid. The message names the field.
 */
export function readGenerateBody(body: unknown): GenerateBody {
  return readBody(requestSchema, body);
}

/**
 * Answers a request. If `signal` is aborted before the answer is complete, the answer is empty and has the finish
 * reason `abort`.
 * @throws {RequestError} If the prompt does not fit in the context.
 */
export async function answerGenerate(
  body: GenerateBody,
  { policy, sessions, signal, id }: {
    policy: ServedPolicy;
    sessions: PrefixSessions;
    signal: AbortSignal;
    id: string;
  },
): Promise<Record<string, unknown>> {
  const { tokenizer } = policy.codec;
  const startMs = performance.now();
  const { input_ids: given, text = "" } = body;
  if (given === undefined) requireShort(text.length, policy);
  const ids = given ?? tokenizer.encode(text);
  const { temperature, ...sampling } = body.sampling_params;
  const stopIds = [
    ...sampling.stop_token_ids ?? [],
    ...(sampling.ignore_eos ? [] : tokenizer.stopIds),
  ];
  const result = await sessions.generate({
    ids,
    maxTokens: Math.min(sampling.max_new_tokens, roomFor(ids, policy)),
    // SGLang treats temperatures this low as greedy.
    temperature: temperature < 1e-6 ? 0 : temperature,
    stopIds,
    seed: sampling.sampling_seed ?? Math.floor(Math.random() * 2 ** 31),
    signal,
  }).catch(abortedResult);
  return {
    text: tokenizer.decode(result.ids),
    output_ids: result.ids,
    meta_info: {
      id,
      finish_reason: finishReason(result, stopIds, signal),
      prompt_tokens: ids.length,
      completion_tokens: result.ids.length,
      cached_tokens: result.cachedTokens,
      weight_version: policy.weightVersion,
      e2e_latency: (performance.now() - startMs) / 1000,
      ...(body.return_logprob
        ? {
          output_token_logprobs: result.ids.map((token, i) => [
            result.logprobs[i],
            token,
            null,
          ]),
        }
        : {}),
    },
  };
}

/**
 * Checks that a text may fit in the context.
 * @throws {RequestError} If the text is certainly too long.
 */
function requireShort(length: number, { model, name }: ServedPolicy): void {
  if (mayFit(length, model.contextLength)) return;
  throw new RequestError(
    `The text has ${length} characters, too many for the ${model.contextLength}-token context of "${name}"`,
  );
}

/**
 * Returns the number of tokens that fit in the context after a prompt.
 * @throws {RequestError} If no token fits.
 */
export function roomFor(
  ids: readonly number[],
  { model, name }: ServedPolicy,
): number {
  const room = model.contextLength - ids.length;
  if (room > 0) return room;
  throw new RequestError(
    `The input has ${ids.length} tokens, which leaves no room for an answer in the ${model.contextLength}-token context of "${name}"`,
  );
}

function abortedResult(error: unknown): CachedResult {
  const isAborted = error instanceof InfrastructureError &&
    error.kind === "aborted";
  if (!isAborted) throw error;
  return { ids: [], logprobs: [], finishReason: "stop", cachedTokens: 0 };
}

function finishReason(
  { ids, finishReason }: CachedResult,
  stopIds: readonly number[],
  signal: AbortSignal,
): Record<string, unknown> {
  const last = ids.at(-1);
  if (last === undefined && signal.aborted) {
    return {
      type: "abort",
      message: "Aborted",
      status_code: null,
      err_type: null,
    };
  }
  return last !== undefined && stopIds.includes(last)
    ? { type: "stop", matched: last }
    : { type: finishReason === "stop" ? "stop" : "length", length: ids.length };
}
