/**
 * Samples with continuous batching: all requests go through the network together, a few steps at a time. Between these
 * steps, finished requests leave the batch and new requests join it.
 */

import {
  InfrastructureError,
  messageOf,
  PolicyError,
} from "../../env/errors.ts";
import { createRng, type Rng } from "../../env/random.ts";
import type { GenerateRequest, GenerateResult } from "../../env/types.ts";
import { setImmediate } from "node:timers";
import type { Engine } from "./engine.ts";
import { parameterCount } from "./layout.ts";
import {
  SampleJobs,
  type SampleOutcome,
  type SamplePart,
} from "./sample_job.ts";
import { type Session, SessionCache } from "./session_cache.ts";

/**
 * The maximum number of rows per thread in one pass through the network. It limits memory and the duration of a step.
 */
const MAX_ROWS = 256;
/**
 * The approximate number of rows per thread between two checks of the queue. It determines the number of steps in a
 * job.
 */
const ROWS_BETWEEN_CHECKS = 64;
const MAX_STEPS = 16;

/** A request that is being sampled. */
interface Active {
  readonly request: GenerateRequest;
  readonly session: Session;
  readonly rng: Rng;
  /** The maximum number of tokens to sample. */
  readonly limit: number;
  readonly ids: number[];
  readonly logprobs: number[];
  stopped: boolean;
  readonly resolve: (result: GenerateResult) => void;
  readonly reject: (error: Error) => void;
}

interface Waiting {
  readonly request: GenerateRequest;
  readonly resolve: (result: GenerateResult) => void;
  readonly reject: (error: Error) => void;
}

/** An active request's part in the next job. */
interface Part extends SamplePart {
  readonly active: Active;
  readonly cost: number;
}

/** Samples continuations for many requests at once. */
export class Sampler {
  readonly #engine: Engine;
  readonly #cache: SessionCache;
  readonly #jobs: SampleJobs;
  readonly #waiting: Waiting[] = [];
  #active: Active[] = [];
  #running = false;
  readonly #rowCost: number;

  constructor(engine: Engine, maxCacheTokens: number) {
    const { layers, dim } = engine.config;
    this.#engine = engine;
    this.#cache = new SessionCache(engine, maxCacheTokens);
    this.#jobs = new SampleJobs(engine);
    this.#rowCost = parameterCount(engine.config) / (2 * layers * dim);
  }

  /** The number of positions in the cache. */
  get cachedTokens(): number {
    return this.#cache.tokens;
  }

  /** Queues a request and returns its result. Requests made in the same turn of the event loop are sampled together. */
  generate(request: GenerateRequest): Promise<GenerateResult> {
    const invalid = this.#invalid(request);
    if (invalid) return Promise.reject(invalid);
    if (request.maxTokens === 0) {
      return Promise.resolve({ ids: [], logprobs: [], finishReason: "length" });
    }
    this.#engine.sampling++;
    return new Promise<GenerateResult>((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      this.#wake();
    }).finally(() => this.#engine.sampling--);
  }

  /** Frees a session's cache, now or after its current request. */
  release(session: string): void {
    this.#cache.release(session);
  }

  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    // Start after the current burst, when all requests of this turn are queued.
    setImmediate(() => void this.#pump());
  }

  async #pump(): Promise<void> {
    try {
      while (this.#waiting.length + this.#active.length > 0) {
        this.#admit();
        await this.#engine.exclusively(() => this.#advance());
      }
    } catch (error) {
      this.#failAll(error);
    } finally {
      this.#running = false;
      if (this.#waiting.length > 0) this.#wake();
    }
  }

  /** Admits the waiting requests whose session is not in use. */
  #admit(): void {
    const later: Waiting[] = [];
    for (const waiting of this.#waiting.splice(0)) {
      const { request, resolve, reject } = waiting;
      if (request.signal?.aborted) reject(aborted(request.signal));
      else if (this.#cache.isBusy(request.session)) later.push(waiting);
      else {
        const room = this.#engine.config.contextLength - request.ids.length;
        this.#active.push({
          request,
          session: this.#cache.acquire(request.session, request.ids),
          rng: createRng(request.seed, "sample", request.ids.length),
          limit: Math.min(request.maxTokens, room),
          ids: [],
          logprobs: [],
          stopped: false,
          resolve,
          reject,
        });
      }
    }
    this.#waiting.push(...later);
  }

  /**
   * Runs a few steps of the active requests for which a job and the cache have room, and resolves finished requests.
   */
  async #advance(): Promise<void> {
    this.#dropAborted();
    const plan = this.#plan();
    if (plan.every((parts) => parts.length === 0)) return;
    const outcomes = await this.#jobs.run(plan, {
      streamBytes: this.#cache.streamBytes,
    });
    plan.forEach((parts, thread) =>
      parts.forEach((part, i) => collect(part, outcomes[thread]![i]!))
    );
    this.#finish();
  }

  #dropAborted(): void {
    this.#active = this.#active.filter((active) => {
      const { signal } = active.request;
      if (!signal?.aborted) return true;
      this.#cache.settle(active.session);
      active.reject(aborted(signal));
      return false;
    });
  }

  /**
   * Assigns the active requests to the threads: continuations first, then prompts, until the row limit is reached or
   * the cache is full.
   */
  #plan(): Part[][] {
    const threads = this.#engine.crew.size;
    const perThread = Math.ceil(this.#active.length / threads);
    const steps = Math.max(
      1,
      Math.min(MAX_STEPS, Math.floor(ROWS_BETWEEN_CHECKS / perThread)),
    );
    const dealt: Part[][] = Array.from({ length: threads }, () => []);
    const rows = dealt.map(() => 0);
    const load = dealt.map(() => 0);
    const order = this.#active
      .map((active) => ({ active, left: leftToFeed(active) }))
      .sort((a, b) => Math.min(a.left, 2) - Math.min(b.left, 2));
    const planned = new Set<Active>();
    for (const { active } of order) {
      const thread = load.indexOf(Math.min(...load));
      const part = this.#part(active, MAX_ROWS - rows[thread]!, steps, planned);
      if (!part) continue;
      planned.add(active);
      dealt[thread]!.push(part);
      rows[thread]! += part.pending.length;
      load[thread]! += part.cost;
    }
    return dealt;
  }

  /** Returns the next part of a request, or `undefined` if the job or the cache has no room for it. */
  #part(
    active: Active,
    rows: number,
    steps: number,
    planned: ReadonlySet<Active>,
  ): Part | undefined {
    if (rows === 0) return undefined;
    const cached = active.session.ids.length;
    const left = leftToFeed(active);
    const count = Math.min(left, rows);
    const budget = count < left
      ? 0
      : Math.min(steps, active.limit - active.ids.length);
    // The last sampled token is not fed, so only the others need a position.
    const end = cached + count + Math.max(0, budget - 1);
    while (!this.#cache.reserve(active.session, end)) {
      if (!this.#evictFor(active, planned)) return undefined;
    }
    const { request, session, rng } = active;
    return {
      active,
      request,
      session,
      pending: tokensOf(active, cached, count),
      uniforms: Array.from({ length: budget }, () => rng.next()),
      cost: (end - cached) * (this.#rowCost + end),
    };
  }

  /**
   * Evicts the cache of the youngest request that is younger than `active` and not in this job. The oldest request is
   * therefore never evicted.
   * @returns Whether a cache was evicted.
   * @throws {PolicyError} If there is nothing to evict and no request is in this job, so the cache is too small.
   */
  #evictFor(active: Active, planned: ReadonlySet<Active>): boolean {
    for (let i = this.#active.length - 1; i >= 0; i--) {
      const other = this.#active[i]!;
      if (other === active) break;
      if (planned.has(other) || other.session.pages.length === 0) continue;
      this.#cache.evict(other.session);
      return true;
    }
    if (planned.size > 0) return false;
    throw new PolicyError(
      `The policy's cache is too small for a prompt of ${active.request.ids.length} tokens and its answer`,
      { hint: "raise rollout.cacheTokens (maxCacheTokens of the policy)" },
    );
  }

  #finish(): void {
    this.#active = this.#active.filter((active) => {
      if (!active.stopped && active.ids.length < active.limit) return true;
      this.#cache.settle(active.session);
      active.resolve({
        ids: active.ids,
        logprobs: active.logprobs,
        finishReason: active.stopped ? "stop" : "length",
      });
      return false;
    });
  }

  #failAll(error: unknown): void {
    const message = messageOf(error);
    const failure = new InfrastructureError(message, {
      kind: "bug",
      source: "model",
      cause: error,
    });
    for (const active of this.#active) {
      this.#cache.evict(active.session);
      this.#cache.settle(active.session);
      active.reject(failure);
    }
    for (const waiting of this.#waiting) waiting.reject(failure);
    this.#active = [];
    this.#waiting.length = 0;
  }

  #invalid(request: GenerateRequest): Error | undefined {
    const { contextLength, vocab } = this.#engine.config;
    const { ids, maxTokens, temperature } = request;
    if (ids.length === 0) {
      return new PolicyError(
        "The prompt is empty; pass at least one token",
      );
    }
    if (ids.length >= contextLength) {
      return new PolicyError(
        `The prompt has ${ids.length} tokens, which leaves no room for an answer in the policy's context of ${contextLength}`,
        {
          hint:
            "shorten the prompt, or use a policy with a larger model.contextLength",
        },
      );
    }
    const foreign = ids.findIndex((id) =>
      !Number.isInteger(id) || id < 0 || id >= vocab
    );
    if (foreign >= 0) {
      return new PolicyError(
        `Token id ${
          ids[foreign]
        } at position ${foreign} of the prompt is outside the vocabulary of ${vocab} tokens`,
        { hint: "use the tokenizer that the policy was trained with" },
      );
    }
    if (!Number.isInteger(maxTokens) || maxTokens < 0) {
      return new RangeError(
        `maxTokens must be a non-negative integer, but it is ${maxTokens}`,
      );
    }
    if (!(temperature >= 0)) {
      return new RangeError(
        `temperature must be at least 0, but it is ${temperature}`,
      );
    }
    return undefined;
  }
}

/** Applies the outcome of a job to its request. */
function collect({ active, pending }: Part, outcome: SampleOutcome): void {
  active.ids.push(...outcome.ids);
  active.logprobs.push(...outcome.logprobs);
  active.stopped = outcome.stopped;
  // All sampled tokens were fed, except the last.
  active.session.ids.push(...pending, ...outcome.ids.slice(0, -1));
}

/** Returns the number of tokens of the prompt and answer that are not in the cache. */
function leftToFeed(active: Active): number {
  return active.request.ids.length + active.ids.length -
    active.session.ids.length;
}

function tokensOf(active: Active, from: number, count: number): number[] {
  const prompt = active.request.ids;
  return Array.from({ length: count }, (_, i) => {
    const t = from + i;
    return t < prompt.length ? prompt[t]! : active.ids[t - prompt.length]!;
  });
}

function aborted(signal: AbortSignal): InfrastructureError {
  return new InfrastructureError("The request was aborted", {
    kind: "aborted",
    source: "model",
    cause: signal.reason,
  });
}
