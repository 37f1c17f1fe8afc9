/**
 * How a model is called over a network: each attempt within a time, again after what may pass, never again
 * after a plain no.
 *
 * There is one policy for all endpoints, and the clients' own retries are off: retries are counted, honour the
 * rate limit and the server's word on waiting, and run on a clock that tests give.
 */

import { type FailureKind, InfrastructureError, messageOf } from "../errors.ts";
import { createRng } from "../random.ts";
import { retry, type Sleep } from "../retry.ts";
import type { CallOptions } from "../types.ts";
import type { RateLimiter } from "./rate_limit.ts";
import { Timeouts } from "./_timeouts.ts";

/** Settings of {@linkcode createCaller}. */
export interface CallPolicy {
  /** Whose failure it is: the agent's model's, or the simulated user's. */
  readonly source: "model" | "user";
  /** Until an attempt is given up, its answer's body included. */
  readonly timeoutMs: number;
  /** Attempts beyond the first. */
  readonly retries: number;
  /** The first wait; doubles with every retry up to {@linkcode MAX_BACKOFF_MS}, unless the server says how long. */
  readonly backoffMs: number;
  readonly limiter?: RateLimiter;
  /** Default: by the clock. */
  readonly sleep?: Sleep;
}

/** Longest wait of our own choice. */
export const MAX_BACKOFF_MS = 30_000;

/** Longest wait that a server may ask for. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Retries of calls that nobody answers, before anybody ever has: then a server that is not there is likelier
 * than one that starts anew, and a person waits for the first call's error.
 */
const RETRIES_INTO_SILENCE = 2;

/** Why an attempt came to nothing; thrown by attempts. */
export class CallFailure extends Error {
  override readonly name = "CallFailure";
  readonly kind: FailureKind;
  /** The HTTP status, where an answer came. */
  readonly status: number | undefined;
  /** What the server asked to wait. */
  readonly retryAfterMs: number | undefined;
  /** Whether the conversation no longer fits into the model's context. */
  readonly isContextFull: boolean;
  constructor(
    message: string,
    options: {
      kind: FailureKind;
      status?: number | undefined;
      retryAfterMs?: number | undefined;
      /** Default: false. */
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

/** One call: its attempt, and what spreads its waits. */
export interface Call<T> extends CallOptions {
  /** @throws {CallFailure} Retried or not by its kind. Anything else is a broken connection. */
  readonly attempt: (signal: AbortSignal) => Promise<T>;
  /** Waits depend on this, so that calls that failed together do not return together. */
  readonly seed: number;
}

/** Makes calls by a policy. */
export interface Caller {
  /**
   * @throws {InfrastructureError} After the last attempt.
   * @throws The signal's reason, once it is aborted.
   */
  call<T>(call: Call<T>): Promise<{ value: T; retries: number }>;
}

/** Makes a caller; all calls to an endpoint share it, and so its rate limit. */
export function createCaller(policy: CallPolicy): Caller {
  /** Whether the endpoint has ever said anything. */
  let isThere = false;
  const timeouts = new Timeouts(policy.timeoutMs);
  function retriesAfter({ kind }: CallFailure): number {
    if (kind === "refused") return 0;
    return isThere
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
        isThere = true;
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
            isThere ||= !isSilence(error);
            return retries < retriesAfter(error);
          },
          retryAfterMs: askedMs,
          // Others would be refused too, so all calls to the endpoint wait.
          onRetry: ({ error, waitMs }) =>
            askedMs(error) !== undefined && policy.limiter?.pause(waitMs),
        });
      } catch (error) {
        throw error instanceof CallFailure
          ? toInfrastructureError(error, { policy, retries })
          : error;
      }
    },
  };
}

/** Milliseconds that an answer's headers ask to wait; `undefined` where they do not say, or no sensible time. */
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

/** What a status says of another try; `undefined` for those that are answers. */
export function kindOfStatus(status: number): FailureKind | undefined {
  if (status < 400) return undefined;
  if (status === 429) return "rate_limited";
  if (status === 408) return "timeout";
  if (status === 409 || status === 425 || status >= 500) return "server_error";
  return "refused";
}

/** Whether an agent's model refused a call since the conversation no longer fits into its context. */
export function outgrewContext(error: unknown): boolean {
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
  // Not AbortSignal.any: the openai client leaves a listener on the signal that it is given, and a joined signal
  // with a listener lives as long as the run's, some kilobytes a call.
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

/** What a server asked to wait. */
function askedMs(error: unknown): number | undefined {
  if (!(error instanceof CallFailure)) return undefined;
  const { retryAfterMs: ms } = error;
  return ms === undefined ? undefined : Math.min(ms, MAX_RETRY_AFTER_MS);
}

function toInfrastructureError(
  failure: CallFailure,
  { policy, retries }: { policy: CallPolicy; retries: number },
): InfrastructureError {
  const tries = retries === 0 ? "" : ` (${retries + 1} attempts)`;
  return new InfrastructureError(`${failure.message}${tries}`, {
    kind: failure.kind,
    source: policy.source,
    cause: failure,
  });
}
