/** One client's conversation: reset to a task, stepped by the client's actions, graded once it has ended. */

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

/** What sessions play in. */
export interface SessionWorld {
  readonly dataset: Dataset;
  readonly user: UserFactory;
  /** Who judges what no program can. Default: nobody. */
  readonly judge?: Judge | undefined;
  /** Whose tasks are meant where a client names no split. */
  readonly split: Split;
  /** Seed of the episodes of clients that give none. */
  readonly seed: number;
  /** Most actions of an episode. */
  readonly maxTurns: number;
  /** Aborted once the budget of the models that play users is spent. Default: never. */
  readonly halt?: AbortSignal;
}

/** Which episode a client wants. */
export interface EpisodeChoice {
  /** Default: the world's. */
  readonly split?: Split | undefined;
  /** The task's number in its split. Default: by the seed, modulo their count. */
  readonly task?: number | undefined;
  /** Default: the next, so that episodes go through the split in order. */
  readonly seed?: number | undefined;
  /** How the client calls it. Default: a random UUID. */
  readonly episodeId?: string | undefined;
}

/** An action's outcome. */
export interface SessionStep {
  readonly observation: Observation;
  /** `null` until the episode has ended. */
  readonly reward: Reward | null;
  readonly stopReason: StopReason | null;
}

/** An episode under way or ended. */
export interface SessionEpisode {
  readonly id: string;
  readonly task: Task;
  readonly seed: number;
  readonly firstMessage: string;
  readonly environment: Environment;
  end: { readonly reward: Reward; readonly stopReason: StopReason } | null;
  failure: InfrastructureError | null;
}

/** What a session is made of. */
export interface LiveSessionOptions {
  readonly world: SessionWorld;
  readonly metrics: SessionMetrics;
  /** The number of an episode whose client gives no seed. */
  readonly next: () => number;
}

/** A session. It plays one episode at a time, and answers one request at a time. */
export class LiveSession {
  readonly id = crypto.randomUUID();
  readonly #options: LiveSessionOptions;
  readonly #closed = new AbortController();
  #episode: SessionEpisode | null = null;
  #busy = false;

  constructor(options: LiveSessionOptions) {
    this.#options = options;
  }

  /** What it plays in. */
  get world(): SessionWorld {
    return this.#options.world;
  }

  /** Aborted once the session is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Whether a request is under way. */
  get isBusy(): boolean {
    return this.#busy;
  }

  /** The episode; `null` before the first reset. */
  get episode(): SessionEpisode | null {
    return this.#episode;
  }

  /** Closes it, and cuts off what is under way. */
  close(): void {
    this.#closed.abort(new Error("The session was closed"));
  }

  /**
   * Begins an episode, whatever became of the last.
   * @throws {RequestError} 404 if there is no such task, 402 once the budget is spent, 409 during another request, 502 if
   * the user failed.
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
   * Takes an action.
   * @throws {RequestError} 409 if no episode is under way, or during another request; 402 once the budget is spent; 502 if
   * the user or the judge failed: the episode is over then, and has no reward.
   */
  async step(action: Action): Promise<SessionStep> {
    return await this.#alone(async () => {
      const episode = this.#underWay();
      const { environment } = episode;
      const { world: { maxTurns, judge }, metrics } = this.#options;
      const signal = this.closed;
      try {
        return await this.#counted(async () => {
          const observation = await environment.step(action, { signal });
          metrics.stepped();
          const stopReason = observation.done
            ? observation.end ?? "user_stop"
            : environment.turns.length >= maxTurns
            ? "max_turns"
            : null;
          if (stopReason === null) {
            return { observation, reward: null, stopReason };
          }
          const end = { stopReason, judge, signal };
          const reward = await finalReward(environment, end);
          episode.end = { reward, stopReason };
          metrics.ended(reward.value, stopReason);
          return { observation, reward, stopReason };
        });
      } catch (error) {
        if (error instanceof SessionFailure) episode.failure = error.failure;
        throw error;
      }
    });
  }

  #underWay(): SessionEpisode {
    const episode = this.#episode;
    const why = episode === null
      ? "has no episode"
      : episode.end !== null
      ? `has ended its episode by "${episode.end.stopReason}"`
      : episode.failure !== null
      ? "has an episode that failed"
      : undefined;
    if (episode !== null && why === undefined) return episode;
    throw new RequestError(`The session ${why}: reset it first`, 409);
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const { halt } = this.#options.world;
    if (halt?.aborted) throw new RequestError(messageOf(halt.reason), 402);
    if (this.#busy) {
      throw new RequestError(
        "The session has a request under way: wait for its answer",
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

/** A failure of the infrastructure, as clients are told of it. */
export class SessionFailure extends RequestError {
  readonly failure: InfrastructureError;

  constructor(failure: InfrastructureError) {
    const { source, kind } = failure;
    super(
      `The ${source} failed (${kind}): ${
        messageOf(failure)
      }; the episode has no reward, reset the session`,
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
