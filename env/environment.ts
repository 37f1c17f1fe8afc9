/** The live world of one task: a fork of the database, tools over it, and a user. */

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
  type Environment,
  type Judge,
  type Observation,
  type Reward,
  STOP,
  type TakenTurns,
  type Task,
  type Turn,
  type User,
} from "./types.ts";

/** What {@linkcode createEnvironment} makes a world of. */
export interface EnvironmentOptions {
  readonly dataset: Dataset;
  readonly task: Task;
  /** The user; the environment is the only one to talk to them. */
  readonly user: User;
  /** Who judges what no program can, where the dataset's rules ask for it. Default: nobody. */
  readonly judge?: Judge | undefined;
  /**
   * An episode that is under way already, to go on from. Rules of a benchmark take its turns again in a world of their
   * own. Default: one that has not been opened.
   */
  readonly from?: TakenTurns & { readonly database: Database };
}

/**
 * Makes the world of one task. Single-use: open it once, step until an observation is `done`.
 * @throws {ConfigError} If this version does not have the task's domain.
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
      said: saidIn(this.#turns),
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

  /** A terminating tool ends the conversation even where it fails. */
  #call({ call }: Action & { type: "tool" }): Observation {
    const content = callTool(this.#domain, this.database, call);
    return this.#dataset.terminatingTools.includes(call.name)
      ? { source: "tool", content, done: true, end: "transfer" }
      : { source: "tool", content, done: false };
  }

  /** What goes wrong with the user is never the agent's fault. */
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
    const is = { new: "not open yet", open: "open already", over: "over" };
    throw new TypeError(
      `The episode of task "${this.task.id}" cannot be ${done}: it is ${
        is[this.#state]
      }`,
    );
  }
}

/** What the agent said to the user in these turns. */
export function saidIn(turns: readonly Turn[]): string[] {
  return turns.flatMap(({ action }) =>
    action.type === "respond" ? [action.content] : []
  );
}
