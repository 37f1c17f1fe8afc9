/**
 * Makes network calls to models: each attempt has a timeout, and failures that may be temporary are retried with
 * backoff.
 *
 * All endpoints share this policy, and the retries of the client libraries are disabled. All retries are therefore
 * counted, respect the rate limit and `Retry-After`, and use a clock that tests can replace.
 */

import { type FailureKind, InfrastructureError, messageOf } from "../errors.ts";
import { createRng } from "../random.ts";
import { retry, type Sleep } from "../retry.ts";
import type { CallOptions } from "../types.ts";
import type { RateLimiter } from "./rate_limit.ts";
import { Timeouts } from "./_timeouts.ts";

/** Options for {@linkcode createCaller}. */
export interface CallPolicy {
  /** The component to which failures are attributed: the agent's model or the simulated user. */
  readonly source: "model" | "user";
  /** Timeout of one attempt in milliseconds, including the time to read the body. */
  readonly timeoutMs: number;
  /** Maximum number of retries after the first attempt. */
  readonly retries: number;
  /**
   * The average wait before the first retry, in milliseconds. It doubles with every retry, up to {@linkcode
   * MAX_BACKOFF_MS}. Each wait is multiplied by a random factor from 0.5 to 1.5. If the server requests a wait, for
   * example with `Retry-After`, the requested wait applies instead.
   */
  readonly backoffMs: number;
  readonly limiter?: RateLimiter;
  /** Waits for a number of milliseconds between attempts. Default: waits in real time. */
  readonly sleep?: Sleep;
}

/**
 * The longest average wait before a retry, in milliseconds, if the server does not request a wait. The random factor
 * may increase it by half.
 */
export const MAX_BACKOFF_MS = 30_000;

/**
 * The longest wait before a retry, in milliseconds, if the server requests one. A longer requested wait is shortened.
 */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Maximum number of retries if the endpoint has not responded to any call yet. Such an endpoint probably does not
 * exist, so the error should be reported soon.
 */
const RETRIES_INTO_SILENCE = 2;

/** An error that is thrown if an attempt fails. */
export class CallFailure extends Error {
  override readonly name = "CallFailure";
  readonly kind: FailureKind;
  /** The HTTP status, or `undefined` if there was no response. */
  readonly status: number | undefined;
  /** The wait that the server requested, in milliseconds, or `undefined` if it requested none. */
  readonly retryAfterMs: number | undefined;
  /** Whether the conversation no longer fits in the model's context. */
  readonly isContextFull: boolean;
  constructor(
    message: string,
    options: {
      kind: FailureKind;
      status?: number | undefined;
      retryAfterMs?: number | undefined;
      /** Whether the conversation no longer fits in the model's context. Default: false. */
      isContextFull?: boolean;
      cause?: unknown;
    },
  ) {
    super(message, { cause: options.cause });
    this.isContextFull = options.isContextFull ?? false;
    this.kind = options.kind;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A call to a model, which may be retried. */
export interface Call<T> extends CallOptions {
  /**
   * Makes one attempt.
   * @throws {CallFailure} If the attempt fails. Its `kind` determines whether the call is retried. Any other error is
   * treated as a broken connection, unless `signal` is aborted.
   */
  readonly attempt: (signal: AbortSignal) => Promise<T>;
  /**
   * Seed for the random factors of the waits, so that calls that fail at the same time are retried at different times.
   */
  readonly seed: number;
}

/** An object that makes calls with the timeout, retries and rate limit of a {@linkcode CallPolicy}. */
export interface Caller {
  /**
   * Makes a call, and retries it as the policy allows.
   * @returns The value of the successful attempt, and the number of retries.
   * @throws {InfrastructureError} If the last attempt failed.
   * @throws The signal's reason if it is aborted.
   */
  call<T>(call: Call<T>): Promise<{ value: T; retries: number }>;
}

/** Creates a caller. Use the same caller for all calls to an endpoint, so that they share its rate limit. */
export function createCaller(policy: CallPolicy): Caller {
  /** Whether the endpoint has ever responded. */
  let hasResponded = false;
  const timeouts = new Timeouts(policy.timeoutMs);
  function retriesAfter({ kind }: CallFailure): number {
    if (kind === "refused") return 0;
    return hasResponded
      ? policy.retries
      : Math.min(policy.retries, RETRIES_INTO_SILENCE);
  }
  return {
    async call(call) {
      let retries = 0;
      async function attempt(retried: number) {
        retries = retried;
        await policy.limiter?.turn(call);
        const value = await attemptOnce(call, { timeouts, policy });
        hasResponded = true;
        return { value, retries };
      }
      try {
        return await retry(attempt, {
          backoffMs: policy.backoffMs,
          maxBackoffMs: MAX_BACKOFF_MS,
          jitter: (retries) => createRng(call.seed, "call", retries).next(),
          signal: call.signal,
          sleep: policy.sleep,
          isRetried(error) {
            if (!(error instanceof CallFailure)) return false;
            hasResponded ||= !isSilence(error);
            return retries < retriesAfter(error);
          },
          retryAfterMs: requestedWaitMs,
          // The server would also reject other calls, so all calls to the endpoint wait.
          onRetry: ({ error, waitMs }) =>
            requestedWaitMs(error) !== undefined &&
            policy.limiter?.pause(waitMs),
        });
      } catch (error) {
        throw error instanceof CallFailure
          ? toInfrastructureError(error, { policy, retries })
          : error;
      }
    },
  };
}

/**
 * Returns the wait that the response headers request, in milliseconds, or `undefined` if they request none, are not
 * valid, or specify a time in the past.
 * @param now The current time, in milliseconds since the epoch.
 */
export function retryAfterOf(
  headers: { get(name: string): string | null },
  now: number,
): number | undefined {
  const exact = Number(headers.get("retry-after-ms") ?? NaN);
  if (exact >= 0) return exact;
  const text = headers.get("retry-after");
  if (text === null || text.trim() === "") return undefined;
  const seconds = Number(text);
  const ms = Number.isNaN(seconds) ? Date.parse(text) - now : seconds * 1000;
  return ms >= 0 ? ms : undefined;
}

/** Returns the failure kind of an HTTP status, or `undefined` if the status is not an error. */
export function kindOfStatus(status: number): FailureKind | undefined {
  if (status < 400) return undefined;
  if (status === 429) return "rate_limited";
  if (status === 408) return "timeout";
  if (status === 409 || status === 425 || status >= 500) return "server_error";
  return "refused";
}

/** Checks whether an error means that the conversation exceeds the context of the agent's model. */
export function exceedsContext(error: unknown): boolean {
  return error instanceof InfrastructureError && error.source === "model" &&
    error.cause instanceof CallFailure && error.cause.isContextFull;
}

function isSilence({ kind }: CallFailure): boolean {
  return kind === "connection" || kind === "timeout";
}

async function attemptOnce<T>(
  { attempt, signal }: Call<T>,
  { timeouts, policy }: { timeouts: Timeouts; policy: CallPolicy },
): Promise<T> {
  signal?.throwIfAborted();
  // Not AbortSignal.any: the openai client leaves a listener on the signal that it receives, and a combined signal with
  // a listener lives as long as the run's signal, which would leak a few kilobytes per call.
  const own = new AbortController();
  const abort = () => own.abort(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  const cancel = timeouts.start(() => own.abort());
  try {
    return await attempt(own.signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw toFailure(error, own.signal.aborted, policy.timeoutMs);
  } finally {
    cancel();
    signal?.removeEventListener("abort", abort);
  }
}

function toFailure(
  error: unknown,
  isLate: boolean,
  timeoutMs: number,
): CallFailure {
  if (isLate) {
    const message = `no answer within ${timeoutMs / 1000} s`;
    return new CallFailure(message, { kind: "timeout", cause: error });
  }
  if (error instanceof CallFailure) return error;
  const message = messageOf(error);
  return new CallFailure(message, { kind: "connection", cause: error });
}

/**
 * Returns the wait that the server requested, in milliseconds and at most {@linkcode MAX_RETRY_AFTER_MS}, or
 * `undefined` if it requested none.
 */
function requestedWaitMs(error: unknown): number | undefined {
  if (!(error instanceof CallFailure)) return undefined;
  const { retryAfterMs: ms } = error;
  return ms === undefined ? undefined : Math.min(ms, MAX_RETRY_AFTER_MS);
}

function toInfrastructureError(
  failure: CallFailure,
  { policy, retries }: { policy: CallPolicy; retries: number },
): InfrastructureError {
  const message = retries === 0
    ? failure.message
    : `${failure.message.replace(/(?<!\.)\.$/, "")} (${retries + 1} attempts)`;
  return new InfrastructureError(message, {
    kind: failure.kind,
    source: policy.source,
    cause: failure,
  });
}
