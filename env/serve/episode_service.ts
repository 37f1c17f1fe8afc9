/** Runs the episodes that trainers ask for: each on its own, all counted, none an exception. */

import { messageOf } from "../errors.ts";
import { openAgent } from "../agents/registry.ts";
import type { PromptStyle } from "../agents/tool_calling.ts";
import type { Caller } from "../models/call_policy.ts";
import { shareWritten } from "../models/id_list_bytes.ts";
import type { Meter } from "../models/meter.ts";
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
import { UnderWay } from "./under_way.ts";

/** What episodes are made of. */
export interface EpisodeWorld {
  readonly dataset: Dataset;
  readonly codec: Codec;
  readonly strategy: string;
  readonly prompt: PromptStyle;
  readonly compat: boolean;
  readonly user: UserFactory;
  readonly userName: string;
  readonly meter: Meter;
  /** Makes the calls of engines. */
  readonly caller: Caller;
  /** Where engines that requests name may be. Default: on loopback. */
  readonly engineHosts?: EngineHosts;
  /** What engines demand as a bearer token. Default: nothing. */
  readonly engineKey?: string;
  /** How records call the policy. */
  readonly modelName: string;
  /** Most tokens of an episode, where a request says nothing. */
  readonly contextLength: number;
  /** Most tokens of an answer, where a request says nothing. */
  readonly maxTokensPerTurn: number;
  readonly maxTurns: number;
  /** How often an episode is begun anew after a failure of the infrastructure. Default: 3. */
  readonly retries?: number;
  /** Most episodes at once; more are sent elsewhere. Default: 1024. */
  readonly maxEpisodes?: number;
  /** Called with every episode that came to an end, before it is answered. Must neither throw nor wait. */
  readonly onEpisode?: (ended: EndedEpisode) => void;
}

const LOOPBACK = new EngineHosts({
  hosts: [],
  lookup: () => Promise.resolve([]),
});

/** An episode, and what it was asked for by. */
export interface EndedEpisode {
  readonly episode: Episode;
  readonly request: EpisodeRequest;
  /** Of the weights that gave its last answer, where the engine says. */
  readonly weightVersion: string | undefined;
}

/** Runs episodes of one world. */
export class EpisodeService {
  readonly world: EpisodeWorld;
  readonly metrics: EpisodeMetrics;
  readonly #stop = new AbortController();
  #draining = false;
  readonly #underWay = new UnderWay();

  constructor(world: EpisodeWorld) {
    this.world = world;
    this.metrics = new EpisodeMetrics(world);
  }

  /** Episodes under way. */
  get running(): number {
    return this.metrics.running;
  }

  /** Whether it takes no further episodes. */
  get isDraining(): boolean {
    return this.#draining;
  }

  /** Takes no further episodes; those under way go on. */
  drain(): void {
    this.#draining = true;
  }

  /** Resolves once no episode is under way. */
  async ended(): Promise<void> {
    await this.#underWay.ended();
  }

  /** Cuts off what is under way; it is answered as aborted. */
  stop(): void {
    this.drain();
    this.#stop.abort(new Error("The episode server was stopped"));
  }

  /**
   * Checks that a request's engine is allowed.
   * @throws {RequestError} 403 if it is not.
   */
  async requireEngine({ engine }: EpisodeRequest): Promise<void> {
    const { engineHosts = LOOPBACK } = this.world;
    if (await engineHosts.allows(engine)) return;
    throw new RequestError(
      `engine: ${engine} is not one of this run's hosts; allow it by --allow-engine HOST[:PORT], or by bridge.allowEngines of the recipe`,
      403,
    );
  }

  /**
   * Takes an episode on.
   * @returns What plays it; to be called once. Its signal is aborted when the client has gone. It never rejects.
   * @throws {RequestError} If the request cannot be meant, the budget is spent (402), or there is no room (503).
   */
  begin(
    request: EpisodeRequest,
  ): (signal: AbortSignal) => Promise<EpisodeAnswer> {
    this.#admit();
    const task = taskOf(request, this.world.dataset);
    return (signal) =>
      this.#underWay.run(async () => {
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
      const why = this.#draining ? "is ending" : "has no room";
      throw new RequestError(
        `This episode server ${why}; ask another`,
        503,
      );
    }
  }

  async #attempt(
    request: EpisodeRequest,
    { task, signal }: { task: Task; signal: AbortSignal },
  ): Promise<EpisodeAnswer> {
    const cut = new AbortController();
    const { engineKey } = this.world;
    const engine = new EpisodeEngine(request, {
      ...(engineKey === undefined ? {} : { apiKey: engineKey }),
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
      shareWritten(engine.ids, answer.tokens);
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
