/**
 * Implements a token model for one episode with the engine that the trainer names. The model sends all turns to one
 * worker, records the engine's answers, and stops at the first abort.
 */

import { type FailureKind, InfrastructureError } from "../errors.ts";
import { type Caller, CallFailure } from "../models/call_policy.ts";
import type { Meter } from "../models/meter.ts";
import type { Post } from "../models/post.ts";
import { sglangTokenModel } from "../models/sglang.ts";
import type { GenerateResult, TokenModel } from "../types.ts";
import { type EpisodeRequest, penaltiesOf } from "./episode_request.ts";

/** An answer from the engine. */
export interface EngineCall {
  /** The number of input ids, which is also the index in the trajectory at which the answer begins. */
  readonly start: number;
  readonly length: number;
  readonly finishReason: GenerateResult["finishReason"];
  readonly weightVersion: string | undefined;
  readonly promptTokens: number;
  readonly cachedTokens: number;
}

/** Options for {@linkcode EpisodeEngine}. */
export interface EpisodeEngineOptions {
  /** The policy's name in records. */
  readonly name: string;
  /** The maximum number of tokens in an episode if the request sets no limit. */
  readonly contextLength: number;
  readonly caller: Caller;
  readonly meter: Meter;
  /** The bearer token, if the engine or its router requires one. Default: none. */
  readonly apiKey?: string;
  /** Sends the requests. Default: `fetch`. */
  readonly post?: Post;
  /** Called when the engine aborts a request of this episode, which means that the rollout has ended. */
  readonly onAbort: () => void;
}

/** A token model that samples one episode's answers from the engine that the request names. */
export class EpisodeEngine {
  /** The answers of the current attempt, in order. */
  calls: EngineCall[] = [];
  /** The ids of the last request. The array grows as the episode proceeds. */
  ids: readonly number[] = [];
  /** The time spent waiting for the engine, in milliseconds. */
  waitedMs = 0;
  /**
   * A description of the failure of the last call, which does not quote the engine's answer; `undefined` if the call
   * succeeded, or if its error is not an infrastructure failure.
   */
  fault: string | undefined;
  readonly model: TokenModel;

  constructor(request: EpisodeRequest, options: EpisodeEngineOptions) {
    const { caller, onAbort } = options;
    const inner = sglangTokenModel({
      ...options,
      url: request.engine,
      model: options.name,
      contextLength: request.max_context_tokens ?? options.contextLength,
      caller: endingWithAborts(caller, onAbort),
      sampling: furtherSampling(request),
    });
    const session = request.session_id;
    this.model = {
      name: inner.name,
      contextLength: inner.contextLength,
      generate: async (asked) => {
        this.ids = asked.ids;
        const start = asked.ids.length;
        // A restarted episode has a shorter prompt than its last turn.
        if (start <= (this.calls.at(-1)?.start ?? -1)) this.calls = [];
        const from = performance.now();
        try {
          this.fault = undefined;
          const result = await inner.generate({ ...asked, session });
          this.calls.push(callOf(result, start));
          return result;
        } catch (error) {
          this.fault = faultOf(error);
          throw error;
        } finally {
          this.waitedMs += performance.now() - from;
        }
      },
    };
  }
}

function callOf(result: GenerateResult, start: number): EngineCall {
  const { ids, finishReason, weightVersion, usage } = result;
  return {
    start,
    length: ids.length,
    finishReason,
    weightVersion,
    promptTokens: usage?.promptTokens ?? start,
    cachedTokens: usage?.cachedTokens ?? 0,
  };
}

/**
 * Returns a fixed description of an infrastructure failure, or `undefined` for any other error. The description does
 * not quote the answer: the server at the engine's URL may not be an engine, and clients must not see the answers of
 * other servers.
 */
function faultOf(error: unknown): string | undefined {
  if (!(error instanceof InfrastructureError)) return undefined;
  const { cause, kind } = error;
  const status = cause instanceof CallFailure ? cause.status : undefined;
  if (status !== undefined && status >= 300) {
    return `The engine answered ${status}`;
  }
  return FAULTS[kind] ?? `The engine failed (${kind})`;
}

const FAULTS: Partial<Record<FailureKind, string>> = {
  timeout: "The engine did not answer in time",
  connection: "The engine cannot be reached, or closed the connection early",
  bad_response: "The engine's answer is not in SGLang's format",
  aborted: "The engine aborted the request",
};

/**
 * Wraps a caller so that an aborted request stops the episode. slime ends a rollout by aborting the engines' requests,
 * so a retry would only delay the end of the rollout.
 */
function endingWithAborts(caller: Caller, onAbort: () => void): Caller {
  return {
    ...caller,
    call: (options) =>
      caller.call({
        ...options,
        attempt: async (signal) => {
          try {
            return await options.attempt(signal);
          } catch (error) {
            if (error instanceof CallFailure && error.kind === "aborted") {
              onAbort();
            }
            throw error;
          }
        },
      }),
  };
}

/** Returns the sampling temperature of a request. It is 0 if `top_k` is 1, which means greedy sampling. */
export function temperatureOf({ sampling_params }: EpisodeRequest): number {
  return sampling_params.top_k === 1 ? 0 : sampling_params.temperature;
}

function furtherSampling(request: EpisodeRequest): Record<string, unknown> {
  const { top_p, top_k } = request.sampling_params;
  return {
    ...penaltiesOf(request),
    ...(top_p === 1 ? {} : { top_p }),
    ...(top_k === -1 || top_k === 1 ? {} : { top_k }),
  };
}
