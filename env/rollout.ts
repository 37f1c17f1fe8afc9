/**
 * Runs rollouts: one agent with one user on one task, or many such episodes in parallel.
 *
 *     environment.open ─▶ agent.act ─▶ environment.step ─▶ agent.observe ─▶ … ─▶ reward
 */

import { createYielder } from "./yielder.ts";
import { createEnvironment } from "./environment.ts";
import { SpanClock } from "./episode_spans.ts";
import { InfrastructureError } from "./errors.ts";
import { finalReward } from "./final_reward.ts";
import { type FailureReason, failureReason } from "./failure_reason.ts";
import { goldOf } from "./gold.ts";
import { createRng, deriveSeed } from "./random.ts";
import { createPool } from "./pool.ts";
import { retry, type Sleep } from "./retry.ts";
import type {
  Action,
  Agent,
  AgentSession,
  CallOptions,
  Dataset,
  Environment,
  Episode,
  Failure,
  Judge,
  Observation,
  Reward,
  StopReason,
  Task,
  Turn,
  User,
  UserFactory,
  UserFinding,
} from "./types.ts";
import { addUsage, NO_USAGE } from "./models/usage.ts";
import { domainOf } from "./domains/registry.ts";
import { trackUser } from "./users/tracker.ts";

/** The specification of an episode: everything that its result depends on. */
export interface RolloutSpec {
  readonly dataset: Dataset;
  readonly task: Task;
  readonly agent: Agent;
  readonly user: UserFactory;
  /** The judge for checks that no program can decide. Default: none. */
  readonly judge?: Judge | undefined;
  /** The user's name in the record: `scripted`. Default: the factory's label, or `custom` if it has none. */
  readonly userName?: string;
  /** The seed. The same seed gives the same episode, at any concurrency and after any number of retries. */
  readonly seed: number;
  /**
   * The maximum number of actions that the agent may take; the calls in one message count as one action. Default: 30,
   * as in τ-bench.
   */
  readonly maxTurns?: number;
  /**
   * The maximum number of the agent's answers that may fail to parse. The next failure ends the episode. Default: 3.
   */
  readonly maxParseErrors?: number;
  /** The maximum number of restarts after an infrastructure failure. Default: 3. */
  readonly retries?: number;
  /** Computes `reward.value`. Default: the benchmark's rule; in τ-bench, 1 if everything is right, else 0. */
  readonly reward?: RewardFunction;
}

/**
 * A function that computes a custom reward value. Parts, differences and the reason for failure still follow the
 * benchmark's rule; pass^k counts an episode as solved if the value is 1. If the function throws or returns a
 * non-finite value, the episode ends with a failure of kind `bug`.
 */
export type RewardFunction = (outcome: GradedOutcome) => number;

/** The argument of a {@linkcode RewardFunction}. */
export interface GradedOutcome {
  readonly dataset: Dataset;
  readonly task: Task;
  readonly turns: readonly Turn[];
  readonly stopReason: StopReason;
  /** The number of the agent's answers that failed to parse. */
  readonly parseErrors: number;
  /** The reward according to the benchmark's rule. */
  readonly graded: Reward;
}

/** Settings of a rollout that do not change its episodes. */
export interface RolloutContext extends CallOptions {
  /** Returns the time in milliseconds, used only in the record. Default: the time since 1970. */
  readonly now?: () => number;
  /** Waits between retries. By default, it waits in real time. */
  readonly sleep?: Sleep;
  /** The first backoff in milliseconds; it doubles with every retry. Default: 500. */
  readonly backoffMs?: number;
}

const DEFAULTS = {
  maxTurns: 30,
  maxParseErrors: 3,
  retries: 3,
  backoffMs: 500,
  concurrency: 32,
  now: () => performance.timeOrigin + performance.now(),
} as const;

/**
 * Runs one episode to its end.
 *
 * Mistakes of the model are scored. Infrastructure failures are retried in a fresh environment. If retries do not help,
 * or if taulab itself throws (kind `bug`), the episode has a `failure` and no reward.
 * @throws The signal's reason once the signal is aborted, and nothing else.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { expertAgent } from "./agents/expert.ts";
 * import { generated } from "./generated/generated.ts";
 * import { rollout } from "./rollout.ts";
 * import { scriptedUser } from "./users/scripted.ts";
 *
 * const dataset = await generated(1, { trainTasks: 1, devTasks: 1, testTasks: 1 });
 * const task = dataset.tasks("test")[0]!;
 * const user = scriptedUser(dataset);
 * const episode = await rollout({ dataset, task, agent: expertAgent(), user, seed: 1 });
 * equal(episode.reward?.value, 1);
 * ```
 */
export async function rollout(
  options: RolloutSpec & RolloutContext,
): Promise<Episode> {
  const { retries: limit = DEFAULTS.retries, now = DEFAULTS.now } = options;
  const startedAtMs = now();
  let usage: Episode["usage"] = { agent: NO_USAGE, user: NO_USAGE };
  const { attempt, ...outcome } = await retry(async (retries) => {
    const attempt = new Attempt(options, new SpanClock(now, startedAtMs));
    if (retries > 0) attempt.clock.mark("retries");
    const failure = await attempt.run();
    options.signal?.throwIfAborted();
    usage = attempt.addUsageTo(usage);
    return { attempt, failure, retries };
  }, {
    retries: limit,
    backoffMs: options.backoffMs ?? DEFAULTS.backoffMs,
    // Derived from the seed, so that episodes that failed together do not retry together.
    jitter: (retries) => createRng(options.seed, "backoff", retries).next(),
    isFailure: ({ failure }) => failure !== null && isRetried(failure),
    isRetried: () => false,
    sleep: options.sleep,
    signal: options.signal,
  });
  return toEpisode(attempt, { options, ...outcome, usage, startedAtMs });
}

/** Options for {@linkcode rolloutAll}. */
export interface RolloutAllOptions extends RolloutContext {
  /** The maximum number of concurrent episodes; does not affect their results. Default: 32. */
  readonly concurrency?: number;
  /**
   * Called with every episode when it ends, and with the index of its spec. If it throws, no further rollouts start.
   */
  readonly onEpisode?: (
    episode: Episode,
    index: number,
  ) => void | Promise<void>;
}

/**
 * Runs many episodes, at most `concurrency` at a time.
 * @returns One episode per spec, in the order of the specs.
 * @throws {RangeError} If `concurrency` is not a positive integer.
 * @throws The signal's reason once the signal is aborted, or an error that `onEpisode` throws. By then, `onEpisode` has
 * received every episode that had ended.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { expertAgent } from "./agents/expert.ts";
 * import { generated } from "./generated/generated.ts";
 * import { rolloutAll } from "./rollout.ts";
 * import { trialSpecs } from "./trials.ts";
 * import { scriptedUser } from "./users/scripted.ts";
 *
 * const dataset = await generated(1, { trainTasks: 1, devTasks: 1, testTasks: 2 });
 * const specs = trialSpecs(dataset.tasks("test"), {
 *   dataset,
 *   agent: expertAgent(),
 *   user: scriptedUser(dataset),
 *   seed: 1,
 *   trials: 4,
 * });
 * const rewards: number[] = [];
 * await rolloutAll(specs, {
 *   onEpisode: ({ reward }) => void rewards.push(reward?.value ?? NaN),
 * });
 * equal(rewards.length, 2 * 4);
 * ```
 */
export async function rolloutAll(
  specs: readonly RolloutSpec[],
  options: RolloutAllOptions = {},
): Promise<Episode[]> {
  const { concurrency = DEFAULTS.concurrency, onEpisode, ...context } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new RangeError(
      `concurrency must be a positive integer, but it is ${concurrency}`,
    );
  }
  const episodes: Episode[] = new Array(specs.length);
  const pool = createPool(concurrency);
  const yieldIfDue = createYielder(options.signal);
  let stopped = false;
  async function play(spec: RolloutSpec, index: number): Promise<void> {
    if (stopped) return;
    try {
      // Episodes without a model never wait, so signals and timers would be handled only after the last episode.
      await yieldIfDue();
      episodes[index] = await rollout({ ...spec, ...context });
      await onEpisode?.(episodes[index], index);
    } catch (error) {
      stopped = true;
      throw error;
    }
  }
  // Wait for all rollouts before throwing the first error, so that nothing keeps running in the background.
  const results = await Promise.allSettled(
    specs.map((spec, index) => pool(() => play(spec, index))),
  );
  for (const result of results) {
    if (result.status === "rejected") throw result.reason;
  }
  options.signal?.throwIfAborted();
  return episodes;
}

/** One attempt at an episode. It keeps the state of the episode so far, so that a failure can be recorded. */
class Attempt {
  readonly #options: RolloutSpec & RolloutContext;
  readonly clock: SpanClock;
  /** The component whose code is running, to which errors are attributed. */
  #source: Failure["source"] = "environment";
  environment: Environment | null = null;
  session: AgentSession | null = null;
  #user: User | null = null;
  firstMessage: string | null = null;
  parseErrors = 0;
  stopReason: StopReason = "failed";
  reward: Reward | null = null;
  /** The reward according to the benchmark's rule, without a custom reward function. */
  #graded: Reward | null = null;

  constructor(options: RolloutSpec & RolloutContext, clock: SpanClock) {
    this.#options = options;
    this.clock = clock;
  }

  /**
   * Runs the attempt to its end.
   * @returns The failure, or `null` if the attempt did not fail.
   */
  async run(): Promise<Failure | null> {
    try {
      const session = await this.#open();
      this.stopReason = await this.#converse(session);
      this.#source = "environment";
      this.#graded = await this.#grade();
      this.reward = this.#valued(this.#graded);
      this.clock.mark("environment");
      return null;
    } catch (error) {
      this.stopReason = "failed";
      const failure = toFailure(error, this.#source);
      this.clock.mark(failure.source);
      return failure;
    } finally {
      this.session?.close();
    }
  }

  addUsageTo({ agent, user }: Episode["usage"]): Episode["usage"] {
    return {
      agent: addUsage(agent, this.session?.usage ?? NO_USAGE),
      user: addUsage(user, this.#user?.usage ?? NO_USAGE),
    };
  }

  async #open(): Promise<AgentSession> {
    const { dataset, task, user, agent, seed } = this.#options;
    this.#user = user(task, { seed: deriveSeed(seed, "user") });
    const { judge } = this.#options;
    this.environment = createEnvironment({
      dataset,
      task,
      user: this.#user,
      judge,
    });
    const firstMessage = await this.environment.open(this.#call());
    this.clock.mark("user");
    this.firstMessage = firstMessage;
    this.#source = "model";
    this.session = agent.start({
      dataset,
      task,
      seed: deriveSeed(seed, "agent"),
      firstMessage,
    });
    return this.session;
  }

  async #converse(session: AgentSession): Promise<StopReason> {
    const {
      maxTurns = DEFAULTS.maxTurns,
      maxParseErrors = DEFAULTS.maxParseErrors,
    } = this.#options;
    // Calls in one message are separate turns, but count as one action.
    for (let turns = 0, left = 0; turns < maxTurns;) {
      this.#options.signal?.throwIfAborted();
      this.#source = "model";
      const step = await session.act(this.#call());
      this.clock.mark("model");
      if (step.type === "out_of_tokens") return "out_of_tokens";
      if (step.type === "parse_error") {
        if (++this.parseErrors > maxParseErrors) return "parse_errors";
        continue;
      }
      const { action } = step;
      const observation = await this.#step(action);
      session.observe(observation);
      if (observation.done) return observation.end ?? "user_stop";
      if (left > 0) left--;
      else if (action.type === "tool") left = action.beside?.length ?? 0;
      if (left === 0) turns++;
    }
    return "max_turns";
  }

  async #step(action: Action): Promise<Observation> {
    this.#source = "environment";
    const observation = await this.environment?.step(action, this.#call());
    this.clock.mark(action.type === "respond" ? "user" : "environment");
    if (observation !== undefined) return observation;
    throw new TypeError("Cannot step: the environment is not open");
  }

  /** The user's mistakes; `null` if their goal is unknown or the episode was not scored. */
  get findings(): UserFinding[] | null {
    const { environment, firstMessage, reward } = this;
    const { dataset, task } = this.#options;
    if (environment === null || firstMessage === null || reward === null) {
      return null;
    }
    const { database } = dataset;
    const { turns } = environment;
    const domain = domainOf(dataset);
    const { user, userName = user.label } = this.#options;
    const isScripted = userName === "scripted";
    return trackUser({
      ...{ domain, task, database, firstMessage, turns },
      isScripted,
    });
  }

  /** Why the reward according to the benchmark's rule is not 1; `null` if it is 1, or if there is no reward. */
  get reason(): FailureReason | null {
    const { environment, stopReason } = this;
    const reward = this.reward === null ? null : this.#graded;
    if (environment === null || reward === null) return null;
    const { dataset, task } = this.#options;
    const gold = goldOf(dataset, task);
    const { database } = environment;
    return failureReason({ reward, stopReason, database, gold });
  }

  async #grade(): Promise<Reward | null> {
    const { environment, stopReason } = this;
    if (environment === null) return null;
    const { judge } = this.#options;
    return await finalReward(environment, {
      stopReason,
      judge,
      ...this.#call(),
    });
  }

  /** Returns the reward with the value of the custom reward function, if there is one. */
  #valued(graded: Reward | null): Reward | null {
    const { reward: rule, dataset, task } = this.#options;
    if (rule === undefined || graded === null) return graded;
    const { stopReason, parseErrors } = this;
    const turns = this.environment?.turns ?? [];
    const value = rule({
      dataset,
      task,
      turns,
      stopReason,
      parseErrors,
      graded,
    });
    if (Number.isFinite(value)) return { ...graded, value };
    throw new RangeError(
      `The reward function returned ${value} for task "${task.id}"; it must return a finite number`,
    );
  }

  #call(): CallOptions {
    const { signal } = this.#options;
    return { signal };
  }
}

/** Checks whether a retry could help after a failure. */
function isRetried({ kind }: Failure): boolean {
  return kind !== "bug" && kind !== "refused" && kind !== "not_judged";
}

function toFailure(error: unknown, source: Failure["source"]): Failure {
  if (error instanceof InfrastructureError) {
    const { kind, source, message } = error;
    return { kind, source, message };
  }
  return { kind: "bug", source, message: String(error) };
}

function toEpisode(
  attempt: Attempt,
  { options, failure, retries, usage, startedAtMs }: {
    options: RolloutSpec & RolloutContext;
    failure: Failure | null;
    retries: number;
    usage: Episode["usage"];
    startedAtMs: number;
  },
): Episode {
  const { task, agent, seed, user, now = DEFAULTS.now } = options;
  const { environment, session, stopReason, reward, parseErrors } = attempt;
  return {
    taskId: task.id,
    ...task.benchmark !== undefined && { benchmark: task.benchmark },
    domain: task.domain,
    split: task.split,
    intent: task.intent ?? null,
    seed,
    agent: agent.name,
    model: agent.model ?? agent.name,
    user: options.userName ?? user.label ?? "custom",
    messages: session?.messages.slice() ?? [],
    turns: environment?.turns.slice() ?? [],
    trajectory: session?.trajectory ?? null,
    stopReason,
    reward,
    reason: attempt.reason,
    failure,
    retries,
    parseErrors,
    usage,
    findings: attempt.findings,
    startedAtMs,
    durationMs: now() - startedAtMs,
    spans: attempt.clock.spans,
  };
}
