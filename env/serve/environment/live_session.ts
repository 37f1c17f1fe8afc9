/**
 * Implements a client's session. A reset starts an episode, each step runs one action of the client, and the episode is
 * graded when it ends.
 */

import { createEnvironment } from "../../environment.ts";
import { InfrastructureError, messageOf } from "../../errors.ts";
import { finalReward } from "../../final_reward.ts";
import { deriveSeed } from "../../random.ts";
import type {
  Action,
  Dataset,
  Environment,
  Judge,
  Observation,
  Reward,
  Split,
  StopReason,
  Task,
  UserFactory,
} from "../../types.ts";
import { taskOf } from "../episode_request.ts";
import { RequestError } from "../served_policy.ts";
import type { SessionMetrics } from "./session_metrics.ts";

/** The dataset and the settings that all sessions of a server share. */
export interface SessionWorld {
  readonly dataset: Dataset;
  readonly user: UserFactory;
  /**
   * Grades the checks that require a judgment. Default: no judge, so an episode that requires one ends with a failure.
   */
  readonly judge?: Judge | undefined;
  /** The split to use for an episode if the client names none. */
  readonly split: Split;
  /** The seed from which the server derives an episode's seed if the client passes none. */
  readonly seed: number;
  /** The maximum number of actions in an episode. */
  readonly maxTurns: number;
  /** Aborted when the budget for the models that play users is spent. Default: never. */
  readonly halt?: AbortSignal;
}

/** A client's settings for an episode. */
export interface EpisodeChoice {
  /** The task's split. Default: {@linkcode SessionWorld.split}. */
  readonly split?: Split | undefined;
  /**
   * The task's index in its split. Default: the task at position `seed` modulo the number of tasks or, without a
   * `seed`, the next task in turn.
   */
  readonly task?: number | undefined;
  /** The seed of the episode. Default: derived from the server's seed and {@linkcode LiveSessionOptions.next}. */
  readonly seed?: number | undefined;
  /** The id of the episode. Default: a random UUID. */
  readonly episodeId?: string | undefined;
}

/** The result of an action. */
export interface SessionStep {
  readonly observation: Observation;
  /** The reward, or `null` until the episode has ended. */
  readonly reward: Reward | null;
  readonly stopReason: StopReason | null;
}

/** The current or last episode of a session. */
export interface SessionEpisode {
  readonly id: string;
  readonly task: Task;
  readonly seed: number;
  readonly firstMessage: string;
  readonly environment: Environment;
  end: { readonly reward: Reward; readonly stopReason: StopReason } | null;
  failure: InfrastructureError | null;
}

/** Options for {@linkcode LiveSession}. */
export interface LiveSessionOptions {
  readonly world: SessionWorld;
  readonly metrics: SessionMetrics;
  /**
   * Returns 0, 1, 2 and so on. The server's sessions share this counter, which numbers the episodes for which the
   * client passes no seed.
   */
  readonly next: () => number;
}

/** A session, which has one episode at a time and handles one request at a time. */
export class LiveSession {
  readonly id = crypto.randomUUID();
  readonly #options: LiveSessionOptions;
  readonly #closed = new AbortController();
  #episode: SessionEpisode | null = null;
  #busy = false;

  constructor(options: LiveSessionOptions) {
    this.#options = options;
  }

  /** The dataset and the settings of the session. */
  get world(): SessionWorld {
    return this.#options.world;
  }

  /** Aborted when the session is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Whether the session is handling a request. */
  get isBusy(): boolean {
    return this.#busy;
  }

  /** The current or last episode; `null` before the first reset and after a reset that failed. */
  get episode(): SessionEpisode | null {
    return this.#episode;
  }

  /** Closes the session and aborts its current request. */
  close(): void {
    this.#closed.abort(new Error("The session was closed"));
  }

  /**
   * Starts an episode, regardless of the state of the previous episode.
   * @throws {RequestError} With status 402 if the budget is spent, 404 if there is no such task or the session is
   * closed meanwhile, 409 if another request is in progress, or 502 if the simulated user failed.
   */
  async reset(choice: EpisodeChoice = {}): Promise<SessionEpisode> {
    return await this.#alone(async () => {
      const { world, metrics, next } = this.#options;
      const drawn = choice.seed ?? next();
      const task = chosenTask(world, { ...choice, seed: drawn });
      const seed = choice.seed ?? deriveSeed(world.seed, drawn);
      const user = world.user(task, { seed: deriveSeed(seed, "user") });
      const { dataset, judge } = world;
      const environment = createEnvironment({ dataset, task, user, judge });
      this.#episode = null;
      const firstMessage = await this.#counted(() =>
        environment.open({ signal: this.closed })
      );
      metrics.begun();
      const id = choice.episodeId ?? crypto.randomUUID();
      return this.#episode = {
        ...{ id, task, seed, firstMessage, environment },
        ...{ end: null, failure: null },
      };
    });
  }

  /**
   * Runs an action in the current episode.
   * @throws {RequestError} With status 402 if the budget is spent, 404 if the session is closed meanwhile, 409 if no
   * episode or another request is in progress, or 502 if the simulated user failed or the episode could not be judged.
   * An error with status 502 ends the episode without a reward.
   */
  async step(action: Action): Promise<SessionStep> {
    return await this.#inEpisode(async (episode) => {
      const { environment } = episode;
      const { world: { maxTurns }, metrics } = this.#options;
      const observation = await environment.step(action, {
        signal: this.closed,
      });
      metrics.stepped();
      const stopReason = observation.done
        ? observation.end ?? "user_stop"
        : environment.turns.length >= maxTurns
        ? "max_turns"
        : null;
      const reward = stopReason === null
        ? null
        : await this.#end(episode, stopReason);
      return { observation, reward, stopReason };
    });
  }

  /**
   * Ends the current episode without another action, and records a reward of 0.
   * @throws {RequestError} In the same cases as {@linkcode step}.
   */
  async truncate(stopReason: "parse_errors"): Promise<void> {
    await this.#inEpisode((episode) => this.#end(episode, stopReason));
  }

  /** Runs a function on the episode in progress. If a model fails meanwhile, the episode is marked as failed. */
  async #inEpisode<T>(
    work: (episode: SessionEpisode) => Promise<T>,
  ): Promise<T> {
    return await this.#alone(async () => {
      const episode = this.requireEpisode();
      try {
        return await this.#counted(() => work(episode));
      } catch (error) {
        if (error instanceof SessionFailure) episode.failure = error.failure;
        throw error;
      }
    });
  }

  /** Grades an episode, and records its end. */
  async #end(
    episode: SessionEpisode,
    stopReason: StopReason,
  ): Promise<Reward> {
    const { world: { judge }, metrics } = this.#options;
    const reward = await finalReward(episode.environment, {
      ...{ stopReason, judge },
      signal: this.closed,
    });
    episode.end = { reward, stopReason };
    metrics.ended(reward.value, stopReason);
    return reward;
  }

  /**
   * Returns the episode in progress.
   * @throws {RequestError} With status 409 if there is none.
   */
  requireEpisode(): SessionEpisode {
    const episode = this.#episode;
    const why = episode === null
      ? "has no episode"
      : episode.end !== null
      ? `has ended its episode with "${episode.end.stopReason}"`
      : episode.failure !== null
      ? "has a failed episode"
      : undefined;
    if (episode !== null && why === undefined) return episode;
    throw new RequestError(`The session ${why}; reset the session first`, 409);
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const { halt } = this.#options.world;
    if (halt?.aborted) throw new RequestError(messageOf(halt.reason), 402);
    if (this.#busy) {
      throw new RequestError(
        "The session is handling another request; wait for its response",
        409,
      );
    }
    this.#busy = true;
    try {
      return await work();
    } catch (error) {
      if (!this.closed.aborted) throw error;
      throw new RequestError("The session was closed during the request", 404);
    } finally {
      this.#busy = false;
    }
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof InfrastructureError)) throw error;
      this.#options.metrics.failed(error);
      throw new SessionFailure(error);
    }
  }
}

/** An error that reports an infrastructure failure to the client. */
export class SessionFailure extends RequestError {
  readonly failure: InfrastructureError;

  constructor(failure: InfrastructureError) {
    const { source, kind } = failure;
    super(
      `The ${source} failed (${kind}): ${
        messageOf(failure).replace(/\.$/, "")
      }; the episode has no reward; reset the session`,
      502,
    );
    this.failure = failure;
  }
}

function chosenTask(
  { dataset, split: usual }: SessionWorld,
  { split = usual, task, seed }: EpisodeChoice & { readonly seed: number },
): Task {
  if (task !== undefined || !dataset.splits.includes(split)) {
    return taskOf({ task: task ?? 0, split }, dataset);
  }
  const tasks = dataset.tasks(split);
  return tasks[seed % tasks.length]!;
}
