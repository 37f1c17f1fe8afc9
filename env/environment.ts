/** Implements the live world of one task: a fork of the database, the tools that operate on it, and a user. */

import { callTool } from "./call_tool.ts";
import type { Database } from "./database.ts";
import type { Domain } from "./domain.ts";
import { domainOf } from "./domains/registry.ts";
import { InfrastructureError } from "./errors.ts";
import { goldOf } from "./gold.ts";
import { grade } from "./reward.ts";
import {
  type Action,
  type CallOptions,
  type Dataset,
  type EarlierTurns,
  type Environment,
  type Judge,
  type Observation,
  type Reward,
  STOP,
  type Task,
  type Turn,
  type User,
} from "./types.ts";

/** Options for {@linkcode createEnvironment}. */
export interface EnvironmentOptions {
  readonly dataset: Dataset;
  readonly task: Task;
  /** The simulated user, with whom only the environment may communicate. */
  readonly user: User;
  /** The judge for checks that no program can decide. Default: none. */
  readonly judge?: Judge | undefined;
  /**
   * An episode in progress, to be continued. A benchmark's rules replay the episode's turns in a fresh world. Default:
   * a new episode.
   */
  readonly from?: EarlierTurns & { readonly database: Database };
}

/**
 * Creates the world of one task. It is single-use: unless it continues an episode, open it once; then step until an
 * observation is `done`.
 * @throws {ConfigError} If this version of taulab does not implement the task's domain.
 */
export function createEnvironment(options: EnvironmentOptions): Environment {
  const { rules } = options.dataset;
  return rules === undefined
    ? new LiveEnvironment(options)
    : rules.environment(options);
}

class LiveEnvironment implements Environment {
  readonly task: Task;
  readonly database: Database;
  readonly #dataset: Dataset;
  readonly #domain: Domain;
  readonly #user: User;
  readonly #turns: Turn[];
  #state: "new" | "open" | "over";

  constructor({ dataset, task, user, from }: EnvironmentOptions) {
    this.task = task;
    this.#dataset = dataset;
    this.#domain = domainOf(dataset);
    this.#user = user;
    this.database = (from?.database ?? dataset.database).fork();
    this.#turns = from === undefined ? [] : [...from.turns];
    this.#state = from === undefined ? "new" : "open";
  }

  get turns(): readonly Turn[] {
    return this.#turns;
  }

  async open(options: CallOptions = {}): Promise<string> {
    this.#require("new", "opened");
    this.#state = "open";
    return await this.#asking(() => this.#user.open(options), options);
  }

  async step(action: Action, options: CallOptions = {}): Promise<Observation> {
    this.#require("open", "stepped");
    const observation = action.type === "respond"
      ? await this.#respond(action.content, options)
      : this.#call(action);
    this.#turns.push({ action, observation });
    if (observation.done) this.#state = "over";
    return observation;
  }

  reward(): Reward {
    return grade({
      database: this.database,
      gold: goldOf(this.#dataset, this.task),
      task: this.task,
      messages: agentMessagesIn(this.#turns),
    });
  }

  async #respond(message: string, options: CallOptions): Promise<Observation> {
    const content = await this.#asking(
      () => this.#user.reply(message, options),
      options,
    );
    return content.includes(STOP)
      ? { source: "user", content, done: true, end: "user_stop" }
      : { source: "user", content, done: false };
  }

  /** Calls a tool. A terminating tool ends the conversation even if it fails. */
  #call({ call }: Action & { type: "tool" }): Observation {
    const content = callTool(this.#domain, this.database, call);
    return this.#dataset.terminatingTools.includes(call.name)
      ? { source: "tool", content, done: true, end: "transfer" }
      : { source: "tool", content, done: false };
  }

  /** Requests a message from the user. Unexpected errors are reported as failures of the user, never of the agent. */
  async #asking(
    ask: () => Promise<string>,
    { signal }: CallOptions,
  ): Promise<string> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof InfrastructureError || signal?.aborted) throw error;
      throw new InfrastructureError(
        `The user of task "${this.task.id}" failed: ${error}`,
        { kind: "bug", source: "user", cause: error },
      );
    }
  }

  #require(state: "new" | "open", done: string): void {
    if (this.#state === state) return;
    const is = { new: "not open yet", open: "already open", over: "over" };
    throw new TypeError(
      `The episode of task "${this.task.id}" cannot be ${done}: it is ${
        is[this.#state]
      }`,
    );
  }
}

/** Returns the agent's messages to the user in the given turns. */
export function agentMessagesIn(turns: readonly Turn[]): string[] {
  return turns.flatMap(({ action }) =>
    action.type === "respond" ? [action.content] : []
  );
}
