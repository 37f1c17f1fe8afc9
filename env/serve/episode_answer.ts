/**
 * Converts an episode to the fields of slime's `Sample`: ids, loss mask, log probabilities, and the spans of the
 * response.
 *
 * @see slime `slime/utils/types.py` (`Sample`, `append_response_tokens`) at 624b824.
 */

import { bodyWithIds } from "../models/id_list_bytes.ts";
import {
  firstSampled,
  idsOf,
  restOf,
  type Trajectory,
} from "../tokens/trajectory.ts";
import type { Episode, StopReason } from "../types.ts";
import type { EngineCall } from "./episode_engine.ts";

/** The status of a sample, as defined by slime. */
export type SampleStatus = "completed" | "truncated" | "aborted" | "failed";

/** A span of the response: one answer from the engine, or tokens appended between answers. */
export interface Span {
  readonly length: number;
  readonly trainable: boolean;
  readonly text: string;
  /** The engine's metadata for an answer, with SGLang's names. Omitted for other spans. */
  readonly meta_info?: Readonly<Record<string, unknown>>;
}

/** The response to `POST /episodes`. Its ids are `P` prompt ids followed by `R` response ids. */
export interface EpisodeAnswer {
  /** All token ids, `[P + R]`. Both `P` and `R` are at least 1. */
  readonly tokens: readonly number[];
  readonly prompt_length: number;
  readonly response_length: number;
  /** The loss mask, `[R]`: 1 for tokens that the policy sampled, otherwise 0. */
  readonly loss_mask: readonly (0 | 1)[];
  /** The log probabilities, `[R]`, which are 0 where the mask is 0. */
  readonly rollout_log_probs: readonly number[];
  /** The spans of the response. Their lengths sum to `R`. */
  readonly spans: readonly Span[];
  readonly response: string;
  /** The reward. It is 0 if the sample is removed, because slime requires a number. */
  readonly reward: number;
  readonly status: SampleStatus;
  /** Whether to exclude the sample from training and metrics: true if the episode failed or was aborted. */
  readonly remove_sample: boolean;
  /** The time spent outside the engine, in seconds. */
  readonly non_generation_time: number;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Options for {@linkcode answerOf}. */
export interface AnswerParts {
  readonly calls: readonly EngineCall[];
  readonly decode: (ids: readonly number[]) => string;
  /** The time spent waiting for the engine, in milliseconds. */
  readonly waitedMs: number;
  /**
   * A description of the engine's failure, if the engine failed. It replaces the failure's message, which quotes the
   * engine's answer.
   */
  readonly engineFault?: string | undefined;
}

/** Converts an episode to the response of `POST /episodes`. */
export function answerOf(episode: Episode, parts: AnswerParts): EpisodeAnswer {
  const { trajectory, reward, failure } = episode;
  if (failure !== null || reward === null || trajectory === null) {
    const status = failure?.kind === "bug" ? "failed" : "aborted";
    return removed(status, metadataOf(episode, parts));
  }
  const layout = layOut(trajectory);
  const { prompt, tokens } = layout;
  const spans = spansOf(layout, parts);
  return {
    tokens,
    prompt_length: prompt,
    response_length: tokens.length - prompt,
    loss_mask: layout.lossMask,
    rollout_log_probs: layout.logprobs,
    spans,
    response: spans.map(({ text }) => text).join(""),
    reward: reward.value,
    status: statusOf(episode.stopReason),
    remove_sample: false,
    non_generation_time: Math.max(0, episode.durationMs - parts.waitedMs) /
      1000,
    metadata: { taulab: metadataOf(episode, parts) },
  };
}

/**
 * Encodes an answer as JSON. Most of it consists of ids, and their encoding is reused from the requests to the engine.
 * The returned bytes may be overwritten later, so send them at once.
 */
export function answerBytes(
  { tokens, ...rest }: EpisodeAnswer,
): Uint8Array<ArrayBuffer> {
  return bodyWithIds(tokens, JSON.stringify(rest), "tokens");
}

/**
 * Returns the answer for an episode that has no result. Because slime requires tokens, the answer has one prompt token
 * and one response token, which is masked.
 */
export function removed(
  status: "aborted" | "failed",
  about: Readonly<Record<string, unknown>>,
): EpisodeAnswer {
  return {
    tokens: [0, 0],
    prompt_length: 1,
    response_length: 1,
    loss_mask: [0],
    rollout_log_probs: [0],
    spans: [{ length: 1, trainable: false, text: "" }],
    response: "",
    reward: 0,
    status,
    remove_sample: true,
    non_generation_time: 0,
    metadata: { taulab: about },
  };
}

function statusOf(stop: StopReason): SampleStatus {
  return stop === "max_turns" || stop === "out_of_tokens"
    ? "truncated"
    : "completed";
}

function metadataOf(
  episode: Episode,
  { engineFault }: Pick<AnswerParts, "engineFault">,
): Record<string, unknown> {
  const { reward, usage, trajectory, failure } = episode;
  const isEngine = failure?.source === "model" && engineFault !== undefined;
  return {
    task_id: episode.taskId,
    domain: episode.domain,
    split: episode.split,
    seed: episode.seed,
    agent: episode.agent,
    user: episode.user,
    stop_reason: episode.stopReason,
    failure: isEngine ? { ...failure, message: engineFault } : failure,
    reason: episode.reason,
    reward: reward === null ? null : reward.value,
    turns: episode.turns.length,
    parse_errors: episode.parseErrors,
    retries: episode.retries,
    tokens: trajectory?.ids.length ?? 0,
    user_calls: usage.user.calls,
    user_tokens: usage.user.promptTokens + usage.user.completionTokens,
  };
}

interface Layout {
  readonly tokens: readonly number[];
  /** The number of prompt ids, which are all ids before the first sampled id. */
  readonly prompt: number;
  /** The loss mask of the response, `[R]`. */
  readonly lossMask: readonly (0 | 1)[];
  /** The log probabilities of the response, `[R]`. */
  readonly logprobs: readonly number[];
}

/**
 * Splits a trajectory into a prompt and a response. As slime requires, the prompt and the response each have at least
 * one id.
 */
function layOut(trajectory: Trajectory): Layout {
  const tokens = idsOf(trajectory);
  if (tokens.length < 2) {
    return { tokens: [0, 0], prompt: 1, lossMask: [0], logprobs: [0] };
  }
  const first = firstSampled(trajectory);
  const prompt = first === -1 ? tokens.length - 1 : Math.max(1, first);
  return { tokens, prompt, ...restOf(trajectory, prompt) };
}

/** Splits the response into spans at the beginning and the end of each answer from the engine. */
function spansOf(
  { tokens, lossMask, prompt }: Layout,
  { calls, decode }: AnswerParts,
): Span[] {
  const spans: Span[] = [];
  for (let at = prompt; at < tokens.length;) {
    const call = calls.find(({ start }) => start === at);
    const most = call === undefined ? Infinity : call.length;
    const length = runLength(lossMask, { from: at - prompt, most });
    const trainable = lossMask[at - prompt] === 1;
    spans.push({
      length,
      trainable,
      text: decode(tokens.slice(at, at + length)),
      ...(trainable ? { meta_info: metaInfo(call, { at, length }) } : {}),
    });
    at += length;
  }
  return spans;
}

/** Returns the length of the run of equal mask values that starts at the index `from`, but at most `most`. */
function runLength(
  lossMask: readonly (0 | 1)[],
  { from, most }: { from: number; most: number },
): number {
  const end = Math.min(lossMask.length, from + most);
  let at = from + 1;
  while (at < end && lossMask[at] === lossMask[from]) at++;
  return at - from;
}

function metaInfo(
  call: EngineCall | undefined,
  { at, length }: { at: number; length: number },
): Record<string, unknown> {
  return {
    finish_reason: { type: call?.finishReason ?? "stop" },
    prompt_tokens: call?.promptTokens ?? at,
    completion_tokens: length,
    cached_tokens: call?.cachedTokens ?? 0,
    ...(call?.weightVersion === undefined
      ? {}
      : { weight_version: call.weightVersion }),
  };
}
