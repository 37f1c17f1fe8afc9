/**
 * Reads the answers of SGLang's `/generate` API.
 *
 * The finish reason is read first: a request that was aborted in the queue has neither ids nor log probabilities.
 *
 * @see sgl-project/sglang, python/sglang/srt/managers/tokenizer_manager.py (`_handle_abort_req`) and schedule_batch.py
 * (`FINISH_ABORT`, `FINISH_LENGTH`, `FINISH_MATCHED_TOKEN`).
 */

import { z } from "zod";
import type { GenerateResult } from "../types.ts";
import { CallFailure, kindOfStatus } from "./call_policy.ts";
import { isContextFull } from "./context_full.ts";
import { extra } from "./extra_field.ts";

/** A complete answer from the engine. */
export interface Generated {
  readonly result: GenerateResult;
  readonly promptTokens: number;
  readonly cachedTokens: number;
}

const count = z.int().min(0);

const answerSchema = z.object({
  output_ids: z.unknown().optional(),
  meta_info: z.object({
    finish_reason: z.object({
      type: z.string(),
      message: extra(z.string()),
      status_code: extra(z.int()),
    }),
    prompt_tokens: extra(count),
    cached_tokens: extra(count),
    weight_version: extra(z.union([z.string(), z.number().transform(String)])),
    output_token_logprobs: z.unknown().optional(),
  }),
});

type Answer = z.infer<typeof answerSchema>;

/**
 * Reads an answer.
 * @param body The parsed JSON.
 * @throws {CallFailure} If the answer was aborted, has no finish reason or an unknown one, or has missing or
 * inconsistent ids or log probabilities. The failure kind of an aborted answer is derived from SGLang's status, or is
 * `aborted`. In all other cases, the failure kind is `bad_response`.
 */
export function readGenerated(body: unknown): Generated {
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) {
    throw bad("did not return a finish reason", parsed.error);
  }
  const { meta_info: info, output_ids: outputIds } = parsed.data;
  const finishReason = readFinish(info.finish_reason);
  const { ids, logprobs } = readSampled(info.output_token_logprobs);
  if (Array.isArray(outputIds) && !isSame(outputIds, ids)) {
    throw bad(
      "returned output_ids that differ from the ids in output_token_logprobs",
    );
  }
  const version = info.weight_version ?? undefined;
  return {
    result: {
      ids,
      logprobs,
      finishReason,
      ...(version === undefined ? {} : { weightVersion: version }),
    },
    promptTokens: info.prompt_tokens ?? 0,
    cachedTokens: info.cached_tokens ?? 0,
  };
}

function readFinish(
  { type, message, status_code: status }: Answer["meta_info"]["finish_reason"],
): GenerateResult["finishReason"] {
  switch (type) {
    case "stop":
    case "length":
      return type;
    case "abort":
      // With a status, the engine rejected the request; without one, a client aborted it.
      throw new CallFailure(
        `aborted the request: ${message ?? "no reason was given"}`,
        {
          kind: kindOfStatus(status ?? 0) ?? "aborted",
          status: status ?? undefined,
          isContextFull: isContextFull(message ?? ""),
        },
      );
    default:
      throw bad(`ended with the unknown finish reason ${JSON.stringify(type)}`);
  }
}

/** Maximum log probability to accept, since rounding may result in a value slightly above 0. */
const MAX_LOGPROB = 1e-4;

/**
 * Splits a list of pairs `[log probability, id]` into two lists, each `[T]`. Pairs may have more members, which are
 * ignored. The pairs are validated without zod for speed, since they make up most of an answer.
 * @throws {CallFailure} If there are no pairs or one is invalid.
 */
function readSampled(
  pairs: unknown,
): { readonly ids: number[]; readonly logprobs: number[] } {
  const ids: number[] = [];
  const logprobs: number[] = [];
  for (const pair of Array.isArray(pairs) ? pairs : []) {
    if (!Array.isArray(pair)) break;
    const logprob: unknown = pair[0];
    const id: unknown = pair[1];
    if (!isLogprob(logprob) || !isId(id)) break;
    ids.push(id);
    logprobs.push(logprob);
  }
  if (ids.length > 0 && ids.length === (pairs as unknown[]).length) {
    return { ids, logprobs };
  }
  throw bad("did not return ids and log probabilities");
}

function isLogprob(value: unknown): value is number {
  return typeof value === "number" && value <= MAX_LOGPROB &&
    value > -Infinity;
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSame(a: readonly unknown[], b: readonly number[]): boolean {
  return a.length === b.length && b.every((id, at) => a[at] === id);
}

function bad(message: string, cause?: unknown): CallFailure {
  return new CallFailure(message, { kind: "bad_response", cause });
}
