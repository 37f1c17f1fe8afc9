/** The engine of one episode: its turns go to one worker, are written down, and end with the first abort. */

import { type FailureKind, InfrastructureError } from "../errors.ts";
import { type Caller, CallFailure } from "../models/call_policy.ts";
import type { Meter } from "../models/meter.ts";
import { sglangTokenModel } from "../models/sglang.ts";
import type { GenerateResult, TokenModel } from "../types.ts";
import { type EpisodeRequest, penaltiesOf } from "./episode_request.ts";

/** One answer of the engine. */
export interface EngineCall {
  /** How many ids it was given: where its answer begins in the trajectory. */
  readonly start: number;
  readonly length: number;
  readonly finishReason: GenerateResult["finishReason"];
  readonly weightVersion: string | undefined;
  readonly promptTokens: number;
  readonly cachedTokens: number;
}

/** Settings of {@linkcode EpisodeEngine}. */
export interface EpisodeEngineOptions {
  /** How records call the policy. */
  readonly name: string;
  /** Most tokens of an episode, where the request says nothing. */
  readonly contextLength: number;
  readonly caller: Caller;
  readonly meter: Meter;
  /** A bearer token, where the engine or its router demands one. */
  readonly apiKey?: string;
  /** The engine ended a request of this episode; there is no use in another turn. */
  readonly onAbort: () => void;
}

/** The engine that a request names, for one episode. */
export class EpisodeEngine {
  /** The answers of the attempt under way, in order. */
  calls: EngineCall[] = [];
  /** What it was given last, a live view. */
  ids: readonly number[] = [];
  /** Milliseconds that were spent waiting for it. */
  waitedMs = 0;
  /** How its last call failed, without the words of its answer; `undefined` after one that did not. */
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
        // An episode that begins anew has a shorter prompt than its last turn had.
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

/** Fixed words: what answered may be no engine, and its answer nothing that a client should see. */
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
  connection: "The engine cannot be reached, or broke off its answer",
  bad_response: "The engine's answer is not in SGLang's format",
  aborted: "The engine aborted the request",
};

/** slime ends a rollout by aborting what its engines have under way; another try would only hold it up. */
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

/** The temperature of a request; `top_k` 1 is the greedy choice. */
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
