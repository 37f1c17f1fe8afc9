/**
 * Runs the episodes that trainers request. Episodes are independent of each other, and every episode is included in the
 * metrics. Failures of episodes are returned as answers rather than thrown.
 */

import { messageOf } from "../errors.ts";
import { openAgent } from "../agents/registry.ts";
import type { PromptStyle } from "../agents/tool_calling.ts";
import type { Caller } from "../models/call_policy.ts";
import { moveEncodedIds } from "../models/id_list_bytes.ts";
import type { Meter } from "../models/meter.ts";
import type { Post } from "../models/post.ts";
import { tokenChatModel } from "../models/token_chat.ts";
import { rollout } from "../rollout.ts";
import type { Codec } from "../tokens/conversation.ts";
import {
  type Dataset,
  type Episode,
  STAND_IN,
  type Task,
  type UserFactory,
} from "../types.ts";
import { answerOf, type EpisodeAnswer, removed } from "./episode_answer.ts";
import { EpisodeEngine, temperatureOf } from "./episode_engine.ts";
import { EpisodeMetrics } from "./episode_metrics.ts";
import { EngineHosts } from "./engine_hosts.ts";
import { type EpisodeRequest, taskOf } from "./episode_request.ts";
import { RequestError } from "./served_policy.ts";
import { InFlight } from "./in_flight.ts";

/** The dataset, the services and the settings that all episodes of a server share. */
export interface EpisodeWorld {
  readonly dataset: Dataset;
  readonly codec: Codec;
  readonly strategy: string;
  readonly prompt: PromptStyle;
  readonly compat: boolean;
  readonly user: UserFactory;
  readonly userName: string;
  readonly meter: Meter;
  /** Calls engines, with timeouts, retries and a rate limit. */
  readonly caller: Caller;
  /** Sends single requests to engines. Default: `fetch`. */
  readonly post?: Post;
  /** The hosts on which requests may use engines. Default: only loopback addresses. */
  readonly engineHosts?: EngineHosts;
  /** The bearer token for engines. Default: none. */
  readonly engineKey?: string;
  /** The policy's name in records. */
  readonly modelName: string;
  /** The maximum number of tokens in an episode if the request sets no limit. */
  readonly contextLength: number;
  /** The maximum number of tokens in an answer if the request sets no limit. */
  readonly maxTokensPerTurn: number;
  readonly maxTurns: number;
  /**
   * The maximum number of times that an episode is restarted after an infrastructure failure that a retry may resolve.
   * Default: 3.
   */
  readonly retries?: number;
  /** The maximum number of concurrent episodes. Further requests are rejected with status 503. Default: 1024. */
  readonly maxEpisodes?: number;
  /** Called with each episode when it has ended, before the request is answered. It must neither throw nor block. */
  readonly onEpisode?: (ended: EndedEpisode) => void;
}

const LOOPBACK = new EngineHosts({
  hosts: [],
  lookup: () => Promise.resolve([]),
});

/** An episode that has ended, and the request for it. */
export interface EndedEpisode {
  readonly episode: Episode;
  readonly request: EpisodeRequest;
  /** The version of the weights that produced the last answer, if the engine reports it. */
  readonly weightVersion: string | undefined;
}

/** A service that runs episodes with one dataset. */
export class EpisodeService {
  readonly world: EpisodeWorld;
  readonly metrics: EpisodeMetrics;
  readonly #stop = new AbortController();
  #draining = false;
  readonly #inFlight = new InFlight();

  constructor(world: EpisodeWorld) {
    this.world = world;
    this.metrics = new EpisodeMetrics(world);
  }

  /** The number of running episodes. */
  get running(): number {
    return this.metrics.running;
  }

  /** Whether the service rejects new episodes. */
  get isDraining(): boolean {
    return this.#draining;
  }

  /** Rejects new episodes from now on. Episodes in progress continue. */
  drain(): void {
    this.#draining = true;
  }

  /** Resolves when no episode is running. */
  async ended(): Promise<void> {
    await this.#inFlight.ended();
  }

  /** Rejects new episodes and aborts running episodes. Their requests are answered with status `aborted`. */
  stop(): void {
    this.drain();
    this.#stop.abort(new Error("The episode server was stopped"));
  }

  /**
   * Checks that the engine of a request is allowed.
   * @throws {RequestError} With status 403 if it is not.
   */
  async requireEngine({ engine }: EpisodeRequest): Promise<void> {
    const { engineHosts = LOOPBACK } = this.world;
    if (await engineHosts.allows(engine)) return;
    throw new RequestError(
      `engine: the host of ${engine} is not allowed; pass --allow-engine HOST[:PORT], or set bridge.allowEngines in the recipe`,
      403,
    );
  }

  /**
   * Accepts a request for an episode.
   * @returns A function that runs the episode and never rejects. Call it once, with a signal that is aborted when the
   * client disconnects.
   * @throws {RequestError} With status 402 if the budget is spent, 404 if there is no such task, 409 if the row is from
   * another dataset, or 503 if the server is full or shutting down.
   */
  begin(
    request: EpisodeRequest,
  ): (signal: AbortSignal) => Promise<EpisodeAnswer> {
    this.#admit();
    const task = taskOf(request, this.world.dataset);
    return (signal) =>
      this.#inFlight.run(async () => {
        using record = this.metrics.begin();
        const answer = await this.#attempt(request, { task, signal });
        record.end(answer);
        return answer;
      });
  }

  #admit(): void {
    const { maxEpisodes = 1024, meter } = this.world;
    if (meter.signal.aborted) {
      throw new RequestError(String(meter.signal.reason.message), 402);
    }
    if (this.#draining || this.running >= maxEpisodes) {
      const why = this.#draining ? "is shutting down" : "is full";
      throw new RequestError(
        `This episode server ${why}; use another one`,
        503,
      );
    }
  }

  async #attempt(
    request: EpisodeRequest,
    { task, signal }: { task: Task; signal: AbortSignal },
  ): Promise<EpisodeAnswer> {
    const cut = new AbortController();
    const { engineKey, post } = this.world;
    const engine = new EpisodeEngine(request, {
      ...(engineKey === undefined ? {} : { apiKey: engineKey }),
      ...(post === undefined ? {} : { post }),
      name: this.world.modelName,
      contextLength: this.world.contextLength,
      caller: this.world.caller,
      meter: this.world.meter,
      onAbort: () => cut.abort(new Error("The engine aborted")),
    });
    const ends = AbortSignal.any([signal, cut.signal, this.#stop.signal]);
    try {
      const episode = await this.#rollout(request, { task, engine, ends });
      const weightVersion = engine.calls.at(-1)?.weightVersion;
      this.world.onEpisode?.({ episode, request, weightVersion });
      const { tokenizer } = this.world.codec;
      const answer = answerOf(episode, {
        calls: engine.calls,
        waitedMs: engine.waitedMs,
        engineFault: engine.fault,
        decode: (ids) => tokenizer.decode(ids),
      });
      moveEncodedIds(engine.ids, answer.tokens);
      return answer;
    } catch (error) {
      const message = messageOf(error);
      return removed(ends.aborted ? "aborted" : "failed", {
        task_id: task.id,
        split: task.split,
        stop_reason: "failed",
        failure: {
          kind: ends.aborted ? "aborted" : "bug",
          source: "environment",
          message,
        },
      });
    }
  }

  async #rollout(
    request: EpisodeRequest,
    { task, engine, ends }: {
      task: Task;
      engine: EpisodeEngine;
      ends: AbortSignal;
    },
  ) {
    const { world } = this;
    const { max_new_tokens: asked } = request.sampling_params;
    const model = tokenChatModel(engine.model, {
      ...world.codec,
      temperature: temperatureOf(request),
      maxTokensPerTurn: asked ?? world.maxTokensPerTurn,
    });
    const { retries } = world;
    return await rollout({
      ...world,
      judge: STAND_IN,
      task,
      agent: await openAgent(world.strategy, { ...world, model }),
      seed: request.seed,
      now: () => performance.now(),
      signal: ends,
      ...(retries === undefined ? {} : { retries }),
    });
  }
}
